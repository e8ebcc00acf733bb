"""What may be carried out here, as plain values; settings fill it, guards read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.sources.access import Access

if TYPE_CHECKING:
    from inferguard_core.secret import SecretStr

OFF, DRY_RUN, LIVE = "off", "dry_run", "live"


@dataclass(frozen=True, slots=True)
class Policy:
    """Defaults are those of the settings: nothing is sent."""

    mode: str = OFF
    target: str | None = field(default=None, repr=False)
    """The webhook's URL as it was set."""
    allowlist: frozenset[str] = frozenset()
    verify_delay_s: float = 60.0
    quiet_s: float = 60.0
    """Span of traffic before and after that is compared."""
    deadline_s: float = 10.0
    secret: SecretStr | None = None
    cooldown_s: float = 300.0
    per_hour: int = 6
    kill_switch: Path = Path("STOP")
    read_only: bool = False
    allow_http: bool = False
    access: Access = field(default_factory=Access)
    """Whose certificates are trusted; no credentials of engines travel to a webhook."""

    @property
    def verified_after_s(self) -> float:
        """From an attempt to its grade; until then it is in flight."""
        return self.verify_delay_s + self.quiet_s

    @property
    def spans(self) -> str:
        """What is held against what, in words."""
        return f"{self.quiet_s:.0f} s before, and after a delay of {self.verify_delay_s:.0f} s"
