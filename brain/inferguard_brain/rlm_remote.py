"""The `rlms` package as another way to a diagnosis by parts, only ever in a sandbox on another machine.

There a model writes code and the code is run. Its environments `local`, `ipython` and `docker` would run it on this
host, beside an engine, and are refused, as is any that is not known to be elsewhere. What comes back is text; it
passes the same gate as every other answer. Needs the extra `rlm`.
"""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.counted import counted
from inferguard_brain.decompose import Decomposed
from inferguard_brain.llm import Form, UnusableError, parsed
from inferguard_brain.prompt import FORM, SYSTEM, schema

if TYPE_CHECKING:
    from inferguard_brain.llm import Model
    from inferguard_brain.reason import Case

REMOTE: Final = frozenset({"daytona", "e2b", "modal", "prime"})
ITERATIONS: Final = 8
GRACE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RemoteRlm:
    """One environment of the package."""

    model: Model
    environment: str
    seconds: float = 60.0

    def __post_init__(self) -> None:
        """ValueError for an environment that is not on another machine."""
        if self.environment not in REMOTE:
            raise ValueError(
                f"rlm environment {self.environment!r}: only {', '.join(sorted(REMOTE))} run elsewhere; "
                "code that a model wrote is not run on this host"
            )

    async def decompose(self, case: Case) -> Decomposed:
        """As `decompose.decompose`. Never raises for what the package or a model does."""
        asked = f"{SYSTEM}\n{FORM}"
        data = {
            "facts": {f.id: {"name": f.name, "value": f.value, "unit": f.unit} for f in case.facts.values()},
            "window": [dict(row) for row in case.context.rows],
            "causes": sorted(case.rules.causes),
            "actions": sorted(case.rules.actions),
        }
        said: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(self.seconds + GRACE_S):
                text = await asyncio.to_thread(self._completed, data, asked)
            said, why = parsed(text, Form(schema(case.rules), ("cause", "why"))), ""
        except ImportError:
            why = "the rlms package is missing: pip install 'inferguard-tui[rlm]'"
        except TimeoutError:
            why = f"no answer within {self.seconds:g} s"
        except UnusableError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - a package that runs a sandbox raises anything
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".replace(self.model.key, "…")
        step = f"rlm ({self.environment}): {'answered' if said is not None else why}"
        return Decomposed(
            said,
            case,
            (step,),
            (asked, f"data: {counted(len(case.facts), 'fact')}, {counted(len(data['window']), 'row')}"),
            why,
        )

    def _completed(self, data: dict[str, Any], asked: str) -> str:
        assert self.environment in REMOTE
        root = importlib.import_module("rlm").RLM(
            backend="openai",
            backend_kwargs={
                "model_name": self.model.name,
                "base_url": self.model.base_url,
                "api_key": self.model.key,
            },
            environment=self.environment,
            max_iterations=ITERATIONS,
            max_timeout=self.seconds,
        )
        return str(root.completion(data, root_prompt=asked).response)
