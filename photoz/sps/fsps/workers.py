"""Child processes that run FSPS, and how their silent death is noticed."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any

from photoz.files import InputError
from photoz.messages import receive, send
from photoz.progress import track

_LINES_SHOWN = 3


class Worker:
    """One child process with an FSPS in it.

    Parameters
    ----------
    options : mapping
        Arguments of `fsps.StellarPopulation`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(
            [sys.executable, "-m", "photoz.sps.fsps.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        self._options = dict(options)
        self._ready = False

    def __call__(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """Run ``task(population, *arguments)`` in the child and return its result.

        Raises
        ------
        InputError
            If the child ended, or the task failed; the message has FSPS's last words.
        """
        if not self._ready:
            self._exchange(self._options)
            self._ready = True
        return self._exchange((task, arguments))

    def close(self) -> None:
        """End the child."""
        assert self._process.stdin is not None and self._process.stdout is not None
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                stream.close()
        self._process.terminate()
        self._process.wait()
        self._said.close()

    def _exchange(self, message: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            send(self._process.stdin, message)
            outcome, value = receive(self._process.stdout)
        except (EOFError, BrokenPipeError) as error:
            code = self._process.wait()
            raise InputError(
                f"FSPS ended its process (exit code {code}){self._last_words()}; check the data "
                f"in SPS_HOME={os.environ.get('SPS_HOME', '')}"
            ) from error
        if outcome == "failed":
            raise InputError(f"FSPS: {value}{self._last_words()}")
        return value

    def _last_words(self) -> str:
        self._said.seek(0)
        text = self._said.read().decode(errors="replace")
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        return f" saying: {' / '.join(lines[-_LINES_SHOWN:])}" if lines else " without a word"


class Workers:
    """Several FSPS processes that share a list of tasks; a context manager.

    Parameters
    ----------
    options : mapping
        Arguments of `fsps.StellarPopulation`.
    number : int
        Processes. Each holds its own copy of FSPS's tables, 0.5 to 1.5 GB.
    """

    def __init__(self, options: Mapping[str, Any], number: int) -> None:
        self._options, self._number = options, max(1, number)
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._stack = ExitStack()

    def __enter__(self) -> Workers:
        for _ in range(self._number):
            worker = Worker(self._options)
            self._stack.callback(worker.close)
            self._free.put(worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def map(
        self,
        task: Callable[..., Any],
        arguments: Iterable[Sequence[Any]],
        what: str,
        unit: str,
    ) -> list[Any]:
        """Run a task for each tuple of arguments, showing progress; results in their order.

        Raises
        ------
        InputError
            If a process ended or a task failed.
        """
        listed = list(arguments)
        results: list[Any] = [None] * len(listed)
        with ThreadPoolExecutor(self._number) as threads:
            futures = {threads.submit(self._run, task, a): k for k, a in enumerate(listed)}
            finished = as_completed(futures)
            try:
                for _ in track(len(listed), what, unit):
                    future = next(finished)
                    results[futures[future]] = future.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return results

    def _run(self, task: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        worker = self._free.get()
        try:
            return worker(task, *arguments)
        finally:
            self._free.put(worker)
