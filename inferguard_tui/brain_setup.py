"""From settings to the brain of a session: by calculation alone, with a language model, or on another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.brain_client import Brain, Mind

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_brain.reason import Reasoner
    from inferguard_core.events import Event
    from inferguard_core.settings.model import Brain as BrainSettings


def open_brain(settings: BrainSettings, touch: Callable[[str], None], tell: Callable[[Event], None]) -> Brain:
    """The brain that the settings describe; a mind that cannot be set up is said to be missing, and why."""
    mind = _mind(settings)
    if isinstance(mind, str):
        return Brain(settings, None, touch, tell, missing=mind)
    return Brain(settings, mind, touch, tell)


def _mind(settings: BrainSettings) -> Mind | str:
    if settings.mode == "remote":
        from inferguard_tui.brain_remote import RemoteMind

        if settings.url is None:
            return "rules alone: mode remote, but INFERGUARD_BRAIN_URL is not set"
        try:
            return RemoteMind(settings.url, settings.token, settings.deadline_seconds)
        except ValueError as error:
            return f"rules alone: {error}"
    if settings.gmi_api_key is None:
        return "rules alone: no LLM key"
    return reasoner(settings, settings.gmi_api_key.get_secret_value())


def reasoner(settings: BrainSettings, key: str) -> Reasoner:
    """The language model of the settings, in this process."""
    from inferguard_brain.decompose import Bounds
    from inferguard_brain.llm import Model, Price
    from inferguard_brain.reason import Reasoner

    price = Price(settings.llm_prompt_price, settings.llm_completion_price)
    model = Model(settings.gmi_base_url, settings.gmi_model, key, settings.llm_deadline_seconds, price)
    # A direct call must still fit behind a decomposition that fails.
    seconds = max(1.0, settings.deadline_seconds - settings.llm_deadline_seconds)
    rlm = None
    if settings.rlm_environment is not None:
        from inferguard_brain.rlm_remote import RemoteRlm

        rlm = RemoteRlm(model, settings.rlm_environment, seconds)
    return Reasoner(model, bounds=Bounds(seconds=seconds), rlm=rlm)
