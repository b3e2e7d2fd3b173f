"""Run a benchmark: ``python -m benchmarks <name> [--json FILE] [--full]``."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
from pathlib import Path

from benchmarks import timing

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in ("timing", "references") and not path.stem.startswith("_")
)


def main(arguments: list[str] | None = None) -> None:
    """Run one benchmark, print its table, and write it as JSON where asked to.

    A benchmark is a module here whose ``run()`` returns nested plain numbers; it may take ``full``,
    to measure at full size.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=NAMES, help="what to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--full", action="store_true", help="at full size, where there is one")
    options = parser.parse_args(arguments)
    run = importlib.import_module(f"benchmarks.{options.name}").run
    sized = "full" in inspect.signature(run).parameters
    if options.full and not sized:
        parser.error(f"{options.name} has one size only; leave out --full")
    machine = timing.machine()
    report = {
        "benchmark": options.name,
        "machine": machine,
        "result": run(full=options.full) if sized else run(),
    }
    print(timing.table({"machine": machine, **report["result"]}))
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
