"""`python -m evaluate`: how well detection and diagnosis do on every scenario and on labelled recordings.

Exit 0 when it ran, whatever it found: it measures, and a reader or CI judges.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from evaluate import recall
from evaluate.cases import HEALTHY, TROUBLED, cases
from evaluate.recordings import labelled, scored
from evaluate.report import as_json, failures, lines
from evaluate.run import Outcome, run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKERS = 2


def main(argv: Sequence[str] | None = None) -> int:
    options = _parse(argv)
    if options.recall:
        print("\n".join(recall.run(options.jobs, quick=options.quick)))
        return 0
    began = time.monotonic()
    planned = cases(options.scenario, quick=options.quick)
    outcomes: list[Outcome] = []
    for number, told in enumerate(run_all(planned, options.jobs), 1):
        outcomes += told
        if options.verbose:
            for failure in (line for outcome in told for line in failures(outcome)):
                print(failure, file=sys.stderr)
        elif sys.stderr.isatty():
            print(f"\r{number}/{len(planned)} runs", end="", file=sys.stderr)
    if not options.scenario:
        outcomes += scored(labelled())
    order = {name: index for index, name in enumerate((*TROUBLED, *HEALTHY))}
    outcomes.sort(key=lambda outcome: (order.get(outcome.group, len(order)), outcome.name))
    if sys.stderr.isatty() and not options.verbose:
        print("\r", end="", file=sys.stderr)
    print("\n".join(lines(outcomes, time.monotonic() - began)))
    if not options.scenario:
        print("\n".join(("", *recall.run(options.jobs, quick=options.quick))))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(outcomes), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluate", description=__doc__.splitlines()[0])
    add = parser.add_argument
    known = (*TROUBLED, *HEALTHY)
    add(
        "--scenario",
        type=lambda text: _names(text, known),
        default=(),
        metavar="NAME[,NAME]",
        help="only these, without recordings; by default all",
    )
    add(
        "--quick", action="store_true", help="one run of each scenario, on one engine, healthy ones cut short"
    )
    add("--recall", action="store_true", help="only how well past incidents are found again")
    add("--jobs", type=int, default=WORKERS, metavar="N", help=f"worker processes (default {WORKERS})")
    add("--json", type=Path, metavar="FILE", help="also write totals, rows and failures")
    add("--verbose", action="store_true", help="failures on stderr as they come")
    options = parser.parse_args(argv)
    if options.jobs < 1:
        parser.error(f"--jobs {options.jobs}: at least 1")
    return options


def _names(text: str, known: Sequence[str]) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"unknown scenario {name!r}; known: {', '.join(known)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
