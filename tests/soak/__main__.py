"""`make soak`: two hours of virtual time, fifty endpoints with random faults, reports and memory watched."""

from __future__ import annotations

import argparse
import sys

from tests.soak.world import soak

KEPT_KIB = 1536.0
"""An endpoint may hold at any time: 0.5 MiB of history as its module says, as much of baselines, and the rest."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=50)
    parser.add_argument("--hours", type=float, default=2.0)
    options = parser.parse_args()
    found = soak(options.endpoints, options.hours * 3600, told)
    wrong = found.wrong()
    print(f"{found.injected} incidents injected, {sum(len(e.opened) for e in found.endpoints)} reported")
    print(*wrong, sep="\n" if wrong else "")
    most = max(kib for _, kib in found.kept)
    print(f"an endpoint held at most {most:.0f} KiB (allowed {KEPT_KIB:.0f}); took {found.seconds:.0f} s")
    return 1 if wrong or most > KEPT_KIB else 0


def told(at: float, kib: float) -> None:
    print(f"{at / 60:5.0f} min  {kib:7.0f} KiB an endpoint", flush=True)


if __name__ == "__main__":
    sys.exit(main())
