"""What the fuzz tests share: how many examples they try, what counts as evil, and what as fine.

They are deterministic and take seconds. ``PHOTOZ_FUZZ=200`` tries 200 times as many random
examples, other ones each time: a campaign for an evening.
"""

import contextlib
import copy
import datetime
import os
import signal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from photoz.files import InputError

FACTOR = int(os.environ.get("PHOTOZ_FUZZ", "1"))
HANG = 30
"""Seconds after which something hangs."""

HOSTILE_NAMES = [
    "",
    " ",
    "-",
    "-rf",
    "--help",
    ".",
    "..",
    "../up",
    "a/../../up",
    "/absolute",
    "~/home",
    "a b",
    "a; touch x",
    "$(touch x)",
    "`touch x`",
    "a' b\" c",
    "a\nb",
    "a\n",
    "a\r\x1b[31mred",
    "a\0b",
    "{wildcard}",
    "<results>",
    "a|b&c>d<e",
    "*?[x]",
    "\\n",
    "é" * 70,
    "a" * 5000,
    "\u202egnp.exe",
    "\ud800",
    "%s%n",
    "con",
]
EVIL_NUMBERS = [
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    -(10**400),
    "nan",
    "1e999",
    "inf",
]
"""Never a value of any numeric key."""
ODD_VALUES = [
    *EVIL_NUMBERS,
    *(-1, 0, 1, 0.5, -0.0, 1e300, 1e-300, 2**63, 10**18, True, False, None),
    *([], {}, [[]], [None], [1, 2, 3], [2, 1], ["a"], [["a", "b"]], {"kind": []}, {"kind": 5}),
    *({1: 2}, {"": ""}, {"a": {"a": {}}}, datetime.date(2020, 7, 29), b"bytes", {"a", "b"}),
    *HOSTILE_NAMES,
]

odd = st.sampled_from(ODD_VALUES)
nested = st.recursive(
    odd | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def examples(number):
    """Settings of a fuzz test with so many examples, more in a campaign."""
    return settings(
        max_examples=number * FACTOR,
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def fine_or_refused():
    """Let success and a refusal in one printable line pass; nothing else, and no hang."""

    def stop(*_):
        pytest.fail(f"it hangs: nothing after {HANG} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        yield
    except InputError as error:
        assert_one_line(str(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def assert_one_line(message):
    assert message and message.isprintable(), repr(message)
    assert len(message) < 15_000
    message.encode("utf-8")


def paths(value, path=()):
    """Path of every value inside a nested one."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, item in items:
        yield from paths(item, (*path, key))


def replaced(value, path, new):
    """A copy of a nested value with another one at a path; `...` removes it."""
    changed = copy.deepcopy(value)
    inside = changed
    for key in path[:-1]:
        inside = inside[key]
    if new is ...:
        del inside[path[-1]]
    else:
        inside[path[-1]] = new
    return changed


def mutations(value, content=odd | nested):
    """Strategy: a nested value with one to three of its parts replaced, removed or added."""

    @st.composite
    def mutated(draw):
        changed = value
        for _ in range(draw(st.integers(1, 3))):
            every = list(paths(changed))
            if not every:
                return changed
            path = draw(st.sampled_from(every))
            kind = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
            if kind == "remove":
                changed = replaced(changed, path, ...)
            elif kind == "add" and isinstance(path[-1], str):
                name = draw(st.sampled_from(HOSTILE_NAMES) | st.text(max_size=8))
                changed = replaced(changed, (*path[:-1], name), draw(content))
            else:
                changed = replaced(changed, path, draw(content))
        return changed

    return mutated()


@st.composite
def damage(draw, content):
    """Strategy: bytes cut short, with some overwritten, left out or put in."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["cut", "overwrite", "overwrite", "flip", "remove", "insert"]))
        if kind == "cut":
            del data[at:]
        elif kind == "overwrite":
            data[at : at + 4] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "remove":
            del data[at : at + draw(st.integers(1, 64))]
        else:
            data[at:at] = draw(st.binary(min_size=1, max_size=64))
    return bytes(data)
