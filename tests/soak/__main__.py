"""`make soak`: two hours of virtual time, fifty endpoints with random faults, memory and reports watched."""

from __future__ import annotations

import argparse
import sys

from tests.soak.world import Outcome, soak

WARM_S = 3600.0
"""Until the longest window is full: a monitor of one hour's age holds all that it will ever hold."""
GROWTH = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=50)
    parser.add_argument("--hours", type=float, default=2.0)
    options = parser.parse_args()
    found = soak(options.endpoints, options.hours * 3600, told)
    wrong = found.wrong()
    print(f"{found.injected} incidents injected, {sum(len(e.opened) for e in found.endpoints)} reported")
    print(*wrong, sep="\n" if wrong else "")
    grown = growth(found)
    print(f"memory after the first hour: {grown:+.1%} (allowed {GROWTH:+.0%}); took {found.seconds:.0f} s")
    return 1 if wrong or grown > GROWTH else 0


def told(at: float, mib: float) -> None:
    print(f"{at / 60:5.0f} min  {mib:7.1f} MiB", flush=True)


def growth(found: Outcome) -> float:
    """Of the memory in RAM from the end of the first hour to the end of all."""
    warm = [mib for at, mib in found.resident if at >= WARM_S]
    return warm[-1] / warm[0] - 1 if warm else 0.0


if __name__ == "__main__":
    sys.exit(main())
