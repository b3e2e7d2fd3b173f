"""FSPS in a process of its own: ``python -m photoz.sps.fsps.worker``, started by `Workers`.

It answers requests from standard input. FSPS prints to standard output and may end the process
there and then, so that the answers go through a copy of that channel, and whatever FSPS prints is
moved to standard error.
"""

from __future__ import annotations

import os
import sys

from photoz.messages import receive, send


def main() -> None:
    """Start FSPS with the options of the first request, then answer the others."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        options = receive(requests)
        from fsps import StellarPopulation

        population = StellarPopulation(**options)
        send(answers, ("ready", None))
        while True:
            task, arguments = receive(requests)
            try:
                send(answers, ("done", task(population, *arguments)))
            except Exception as error:  # told to the parent, which raises it
                send(answers, ("failed", f"{type(error).__name__}: {error}"))
    except EOFError:  # the parent is gone, or wants no more
        return


if __name__ == "__main__":
    main()
