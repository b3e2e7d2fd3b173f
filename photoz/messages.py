"""Messages between a process and its own child: pickled, each after its length.

Whoever can write a pickle can run code, so these never come from a file or a network. Both ends of
a pipe are one program under one user: the parent starts the child itself with `subprocess.Popen`
and nobody else holds the pipe (`photoz.sps.fsps.workers`, `photoz.simulations.stream`). No other
module may import pickle (tests/test_safety.py).
"""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return pickle.loads(content)
