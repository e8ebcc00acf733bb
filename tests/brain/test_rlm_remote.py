"""The optional package runs elsewhere or not at all; whatever it answers passes the same gate.

The package itself is not installed with the tests (it wants another pytest): a stand-in has its documented interface.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from inferguard_brain.llm import Model
from inferguard_brain.reason import Reasoner
from inferguard_brain.rlm_remote import RemoteRlm
from inferguard_core.settings import SettingsProblem
from inferguard_core.settings.loading import load
from tests.brain.incident import incident
from tests.brain.test_llm import GOOD

MODEL = Model("http://127.0.0.1:9/v1", "m", "sk-secret", 1.0)
PERSON = incident() | {"asked_by": "person"}


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the package was made with, and what it answers."""
    seen: dict[str, Any] = {"answer": json.dumps(GOOD)}

    class RLM:
        def __init__(self, **made: Any) -> None:
            seen["made"] = made

        def completion(self, prompt: dict[str, Any], root_prompt: str) -> SimpleNamespace:
            seen["asked"] = (prompt, root_prompt)
            if isinstance(seen["answer"], Exception):
                raise seen["answer"]
            return SimpleNamespace(response=seen["answer"])

    module = ModuleType("rlm")
    module.RLM = RLM  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rlm", module)
    return seen


@pytest.mark.parametrize("environment", ["local", "ipython", "docker", "", "LOCAL", "somewhere"])
def test_nothing_that_runs_on_this_host_is_accepted(environment: str) -> None:
    with pytest.raises(ValueError, match="is not run on this host"):
        RemoteRlm(MODEL, environment)
    assert isinstance(load({"brain.rlm_environment": environment}), SettingsProblem)


async def test_it_is_asked_in_its_remote_environment_and_its_answer_is_checked(
    package: dict[str, Any],
) -> None:
    answer = {**GOOD, "why": [*GOOD["why"], {"text": "99 wait", "facts": ["F1"]}]}
    package["answer"] = f"Here: {json.dumps(answer)}"
    found = await Reasoner(MODEL, rlm=RemoteRlm(MODEL, "daytona")).think(PERSON)
    assert (package["made"]["environment"], package["made"]["max_iterations"]) == ("daytona", 8)
    assert found["source"] == "decomposed"
    assert len(found["narrative"]) == 3
    assert "99" in found["unverified"][0]
    assert "sk-secret" not in json.dumps(found)


@pytest.mark.parametrize("answer", ["no json", RuntimeError("sandbox sk-secret is gone")])
async def test_when_it_fails_the_direct_call_and_then_the_rules_follow(
    package: dict[str, Any], answer: object
) -> None:
    package["answer"] = answer
    found = await Reasoner(MODEL, rlm=RemoteRlm(MODEL, "e2b")).think(PERSON)
    assert found["source"] == "rules"
    assert any(step.startswith("rlm (e2b):") for step in found["trace"])
    assert any(step.startswith("direct") for step in found["trace"])
    assert "sk-secret" not in json.dumps(found)


async def test_without_the_package_it_says_what_to_install() -> None:
    found = await Reasoner(MODEL, rlm=RemoteRlm(MODEL, "modal")).think(PERSON)
    assert any("inferguard-tui[rlm]" in step for step in found["trace"])
