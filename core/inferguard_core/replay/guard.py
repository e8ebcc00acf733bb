"""Whether load may be sent to an engine: not to one that is in trouble, nor to one that shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Severity

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame


def trouble(frame: EndpointFrame) -> str | None:
    """Why the engine of `frame`, a look at it just now, should not be given load; None when it may."""
    if frame.failure is not None:
        return f"its state is not known: {frame.failure.message}"
    worst = [a for a in frame.anomalies if a.severity >= Severity.WARNING]
    if worst:
        return (
            f"it is in trouble: {'; '.join(f'{a.kind} ({a.severity.word}): {a.summary}' for a in worst[:3])}"
        )
    return None


def served_model(frame: EndpointFrame, asked: str | None) -> tuple[str, str]:
    """The model to ask for, and why there is none; one of them is empty."""
    if asked is not None:
        if frame.models and asked not in frame.models:
            return "", f"{frame.name} does not serve {asked}; it serves {', '.join(frame.models)}"
        return asked, ""
    if len(frame.models) == 1:
        return frame.models[0], ""
    if frame.models:
        return "", f"{frame.name} serves {', '.join(frame.models)}; choose one with --model"
    return "", f"{frame.name} does not say which model it serves; name it with --model"
