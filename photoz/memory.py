"""Work in batches that become smaller where memory does not suffice."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from photoz.files import InputError

logger = logging.getLogger(__name__)

_TOLD = ("out of memory", "can't allocate memory", "not enough memory", "Cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was short; torch raises a RuntimeError then."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TOLD)


class OutOfMemoryError(InputError, MemoryError):
    """Memory does not suffice for a single row; whoever holds larger batches may halve those."""


class Batches:
    """Rows 0 to n - 1, a batch at a time; a batch that memory is too short for is halved.

    ```
    batches = Batches(len(rows), 512, "prediction")
    for batch in batches:
        with batches.attempt():
            result[rows[batch]] = compute(rows[batch])
    ```

    Parameters
    ----------
    n : int
        Number of rows.
    size : int
        Rows of a batch, to begin with.
    what : str
        What is done to the rows, for the log.
    """

    def __init__(self, n: int, size: int, what: str) -> None:
        self.n, self.size, self.what = n, size, what
        self._done = 0

    def __iter__(self) -> Iterator[slice]:
        while self._done < self.n:
            yield slice(self._done, min(self._done + self.size, self.n))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Go on to the next batch, or come back to the same rows in a smaller one.

        Raises
        ------
        OutOfMemoryError
            If memory does not suffice for a single row.
        """
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            tried = min(self.size, self.n - self._done)
            if tried == 1:
                raise OutOfMemoryError(
                    f"{self.what}: memory does not suffice for a single galaxy ({error}); give the "
                    "job more memory, or run fewer jobs at once"
                ) from error
            self.size = tried // 2
            logger.warning(
                "%s: memory is short for %d at a time; going on with %d",
                self.what,
                tried,
                self.size,
            )
        else:
            self._done += min(self.size, self.n - self._done)
