"""Runs every benchmark and prints its lines: `make bench`, or `python -m bench NAME…` for some of them.

A benchmark measures and prints; it judges nothing. Times hold for the machine that printed them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

BENCHMARKS = (
    "exposition",
    "scrape",
    "monitor",
    "fleet",
    "prometheus_fleet",
    "memory",
    "brain",
    "cable",
    "ui",
    "keys",
)
"""Modules of this package with a `run() -> list[str]`, cheapest first."""


def main(names: tuple[str, ...]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    absent = False
    for name in names or BENCHMARKS:
        print(f"== {name}", flush=True)
        if find_spec(f"bench.{name}") is None:
            print("absent")
            absent = True
            continue
        # Imported one by one: what a later benchmark imports is not in an earlier one's memory.
        for line in import_module(f"bench.{name}").run():
            print(line, flush=True)
    return int(absent)


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
