"""`--yes-live ACTION`: a person's word, given beforehand, for one named action and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.actuation.policy import LIVE
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inferguard_core.actuation.policy import Policy


def add_yes_live(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--yes-live",
        action="append",
        default=[],
        metavar="ACTION",
        choices=[action.value for action in ActionType],
        help="send this action when it is advised and every guard agrees (repeatable; needs mode live)",
    )


def refusal(named: Sequence[str], policy: Policy) -> str:
    """Why what was named cannot be sent under these settings; empty when it can, or when nothing was."""
    if not named:
        return ""
    if policy.mode != LIVE:
        return (
            f"--yes-live {named[0]}: actuation is in mode {policy.mode}; set INFERGUARD_ACTUATION_MODE=live"
        )
    missing = [name for name in named if name not in policy.allowlist]
    if missing:
        return f"--yes-live {missing[0]}: not in INFERGUARD_ACTUATION_ALLOWLIST"
    return ""
