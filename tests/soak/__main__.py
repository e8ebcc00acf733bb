"""`make soak`: two hours of virtual time, fifty endpoints with random faults; then eight for what four of them hold.

The first part is for reports, the second for memory: few endpoints for long enough that only the slowest rings
still fill.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tests.soak.world import soak

if TYPE_CHECKING:
    from tests.soak.held import Held

KEPT_KIB = 1536.0
"""An endpoint may hold at any time: 0.5 MiB of history as its module says, as much of baselines, and the rest."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=50)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--weighed", type=int, default=4, help="endpoints of the second part")
    parser.add_argument("--weighed-hours", type=float, default=8.0)
    options = parser.parse_args()
    many = soak(options.endpoints, options.hours * 3600, told)
    few = soak(options.weighed, options.weighed_hours * 3600, told)
    wrong = [*many.wrong(), *few.wrong(), *few.grown()]
    reported = sum(len(each.opened) for each in (*many.endpoints, *few.endpoints))
    print(f"{many.injected + few.injected} incidents injected, {reported} reported")
    print(*wrong, sep="\n" if wrong else "")
    for ring in few.course[-1].rings:
        print(f"{ring.what}: {ring.count} of {ring.cap}")
    most = max(each.kib for each in (*many.course, *few.course))
    took = many.seconds + few.seconds
    print(f"an endpoint held at most {most:.0f} KiB (allowed {KEPT_KIB:.0f}); took {took:.0f} s")
    return 1 if wrong or most > KEPT_KIB else 0


def told(found: Held) -> None:
    print(
        f"{found.at / 60:5.0f} min  {found.kib:7.0f} KiB an endpoint, {found.rest_kib:5.0f} in no ring",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
