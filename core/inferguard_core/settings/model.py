"""The settings themselves: one class a concern, a table of the same name in TOML, joined in `Settings`.

They hold values and nothing that acts on them. The annotations say what is allowed, and `loading` has pydantic hold
what people wrote against them; a value built in code is taken as it is. They are plain dataclasses because they
live as long as the monitor, which pydantic need not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - the annotations are read
from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from inferguard_core.detect.limits import Limits
from inferguard_core.secret import SecretStr  # noqa: TC001 - the annotations are read
from inferguard_core.settings.checks import (
    After,
    Before,
    Key,
    existing_file,
    expanded,
    header_text,
    http_secret,
    http_url,
    http_urls,
    split,
    without_colon,
    xdg_dir,
)
from inferguard_core.sources.access import DEADLINE_S, MAX_BODY_BYTES

ActionName = Literal[
    "recommend_compaction",
    "throttle_concurrency",
    "flush_session_radix",
    "drain_and_recycle",
    "quarantine_shape",
    "shrink_speculation_window",
]


@dataclass(frozen=True, slots=True)
class Access:
    """Which engines, and how a request to them is made."""

    endpoints: Annotated[tuple[str, ...], Before(split)] = ()
    """What to monitor when the command line names nothing, as a comma list. Unset: what is found here."""
    bearer_token: Key | None = None
    """Sent as `Authorization: Bearer …` to every endpoint."""
    basic_user: Annotated[str, After(without_colon)] | None = None
    """User name of basic authentication; not together with a bearer token."""
    basic_password: SecretStr | None = None
    """Password of basic authentication."""
    tenant: Annotated[str, After(header_text)] = ""
    """Sent as `X-Scope-OrgID` to metrics servers that keep several tenants apart (Mimir, Cortex); not to engines."""
    ca_file: Annotated[Path, After(expanded), After(existing_file)] | None = None
    """PEM file of the authorities to trust in place of the system's."""
    insecure: bool = False
    """Accept any certificate."""
    deadline_seconds: Annotated[float, Interval(ge=0.1, le=120.0)] = DEADLINE_S
    """Total time of one poll, from the connection to the last byte."""
    body_cap_mib: Annotated[float, Interval(ge=0.1, le=256.0)] = MAX_BODY_BYTES / 2**20
    """A decoded page larger than this many MiB is refused."""

    def __post_init__(self) -> None:
        if self.bearer_token is not None and self.basic_user is not None:
            raise ValueError("bearer_token and basic_user are both set; an endpoint takes one of them")
        if (self.basic_user is None) != (self.basic_password is None):
            raise ValueError("basic_user and basic_password go together; one of them is not set")


@dataclass(frozen=True, slots=True)
class Polling:
    """How often engines are asked."""

    interval_seconds: Annotated[float, Interval(ge=0.1, le=3600.0)] | None = None
    """Seconds from one poll to the next. Unset: 2 on the screen, 30 in `watch`."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered, and where."""

    state_dir: Annotated[Path, After(expanded)] = field(
        default_factory=lambda: xdg_dir("XDG_STATE_HOME", ".local/state")
    )
    """Directory of what outlives a run; made when it is missing."""
    mode: Literal["on", "read_only", "off"] = "on"
    """What is remembered: everything, what others wrote, or nothing. Only `on` records incidents."""
    max_mib: Annotated[float, Interval(ge=8, le=65536)] = 512.0
    """Size of the store in MiB from which the oldest readings go."""
    max_days: Annotated[float, Interval(ge=0.05, le=3650)] = 30.0
    """Age in days from which readings go; incidents stay."""
    redis_url: str | None = None
    """REST URL of the Upstash Redis that shares rolling state and events."""
    redis_token: Key | None = None
    """Token of that Redis."""
    vector_url: str | None = None
    """REST URL of the Upstash Vector index that recalls incidents."""
    vector_token: Key | None = None
    """Token of that index."""

    def __post_init__(self) -> None:
        if (self.redis_url is None) != (self.redis_token is None):
            raise ValueError("redis_url and redis_token go together; one of them is not set")
        if (self.vector_url is None) != (self.vector_token is None):
            raise ValueError("vector_url and vector_token go together; one of them is not set")


@dataclass(frozen=True, slots=True)
class Brain:
    """Investigations and the language model behind them."""

    mode: Literal["local", "remote"] = "local"
    """Where investigations run: in this process, or on an `inferguard brain` at `url`."""
    agent_name: str = "inferguard-brain"
    """Name of the remote agent."""
    url: str | None = None
    """Where the remote brain answers, for mode remote."""
    token: Key | None = None
    """Bearer token between this monitor and a remote brain; the brain demands it off loopback."""
    proactive_cycle_every: Annotated[int, Interval(ge=0, le=100_000)] = 5
    """Polls from one investigation of an endpoint to the next; 0 is never."""
    deadline_seconds: Annotated[float, Interval(ge=1, le=600)] = 60.0
    """Total time of one investigation."""
    gmi_api_key: Key | None = None
    """Key of the LLM that refines a diagnosis. Unset: rules alone."""
    gmi_base_url: str = "https://api.gmi-serving.com/v1"
    """Base URL of an OpenAI-compatible API."""
    gmi_model: str = "openai/gpt-oss-120b"
    """Model asked to refine a diagnosis."""
    llm_deadline_seconds: Annotated[float, Interval(ge=1, le=300)] = 20.0
    """Total time of one call of the LLM, its retry included."""
    llm_prompt_price: Annotated[float, Interval(ge=0, le=10_000)] | None = None
    """US dollars per million prompt tokens. Unset: no cost is told."""
    llm_completion_price: Annotated[float, Interval(ge=0, le=10_000)] | None = None
    """US dollars per million completion tokens."""
    rlm_environment: Literal["daytona", "e2b", "modal", "prime"] | None = None
    """Remote sandbox in which the package of the extra `rlm` runs what a model wrote. Unset: tools, and no code."""
    send_host_names: bool = False
    """Let the LLM see endpoints' host names; otherwise they are replaced."""
    bl_api_key: Key | None = None
    """Key for deploying the brain to Blaxel."""
    daytona_api_key: Key | None = None
    """Key of the Daytona workspaces a canary runs in. Unset: a local sandboxed process."""
    daytona_api_url: str | None = None
    """Another Daytona API than the public one."""
    daytona_snapshot: str | None = None
    """Snapshot with the engine installed, for canaries of flags."""


@dataclass(frozen=True, slots=True)
class Actuation:
    """What may be carried out, by whom and how often. Off unless set."""

    mode: Literal["off", "dry_run", "live"] = "off"
    """What an action may do: nothing, say what it would send, or be sent after a person confirmed."""
    endpoint: str | None = None
    """Webhook that carries out an action; its URL may hold no credentials."""
    allowlist: Annotated[tuple[ActionName, ...], Before(split)] = ()
    """Action types that may run; a comma list."""
    verify_delay: Annotated[float, Interval(ge=0, le=86_400)] = 60.0
    """Seconds from an action to the check of its effect."""
    quiet_window: Annotated[float, Interval(ge=5, le=3600)] = 60.0
    """Seconds of traffic, before an action and after the delay, that are compared."""
    deadline_seconds: Annotated[float, Interval(ge=0.5, le=60)] = 10.0
    """Total time of the one attempt to send; after it the outcome is unknown."""
    secret: SecretStr | None = None
    """Signs each webhook by HMAC-SHA256."""
    cooldown_seconds: Annotated[float, Interval(ge=0, le=86_400)] = 300.0
    """Least time between two live actions of one type on one endpoint."""
    max_per_hour: Annotated[int, Interval(ge=0, le=1000)] = 6
    """Live actions within an hour, over all endpoints."""
    kill_switch_file: Annotated[Path, After(expanded)] | None = None
    """While this file exists nothing is sent. Unset: `STOP` in the state directory."""
    read_only: bool = False
    """Refuse everything but a preview, whatever the mode."""
    allow_http: bool = False
    """Let a webhook off this host be plain http."""


@dataclass(frozen=True, slots=True)
class Watch:
    """`inferguard watch` as a service: what it serves, whom it tells, whose lists it follows."""

    listen: str | None = None
    """HOST:PORT that serves /metrics and /healthz; without a host the loopback. Unset: nothing is served."""
    alertmanager: Annotated[tuple[str, ...], Before(split), After(http_urls)] = ()
    """Base URLs of the Alertmanagers that are told of incidents, as a comma list."""
    alert_webhook: Annotated[SecretStr, After(http_secret)] | None = None
    """URL that gets a POST at each edge of an incident; it may hold a secret."""
    resend_seconds: Annotated[float, Interval(ge=1, le=3600)] = 60.0
    """An open incident is told to Alertmanager this often, and ends there four times as long after the last."""
    spool: Annotated[int, Interval(ge=1, le=100_000)] = 1000
    """Notices kept for a receiver that is away; of more the oldest goes."""
    file_sd: Annotated[Path, After(expanded)] | None = None
    """Target list in Prometheus' file_sd form (JSON), followed as it changes."""
    http_sd: Annotated[str, After(http_url)] | None = None
    """URL of a target list in Prometheus' http_sd form."""
    http_sd_seconds: Annotated[float, Interval(ge=1, le=86_400)] = 60.0
    """Seconds from one question for that list to the next."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Load that `validate` sends."""

    export_file: Annotated[Path, After(expanded)] | None = None
    """ISB-1 export whose sessions `validate` sends."""
    max_concurrency: Annotated[int, Interval(ge=1, le=1024)] = 4
    """Sessions in flight at once."""
    max_sessions: Annotated[int, Interval(ge=0, le=1_000_000)] = 0
    """Sessions to send; 0 is all."""
    runtime_stack_id: str | None = None
    """Only cells of this stack, such as standalone:vllm."""
    skip_tokenizer: bool = True
    """Count tokens approximately where the server does not say; false leaves them unknown."""
    max_wait_seconds: Annotated[float, Interval(ge=0, le=86_400)] = 120.0
    """The longest wait before a turn with which `validate` still starts."""
    answer_deadline_seconds: Annotated[float, Interval(ge=1, le=86_400)] = 600.0
    """Total time of one answer under load."""


@dataclass(frozen=True, slots=True)
class Serve:
    """The tools that `inferguard serve` gives to an agent."""

    token: Key | None = None
    """Bearer token that HTTP clients must send; demanded off loopback."""


@dataclass(frozen=True, slots=True)
class Ui:
    """How the screen looks."""

    theme: str | None = None
    """Name of a theme. Unset: the terminal UI's own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    tables: ClassVar[dict[str, type]] = {
        "access": Access,
        "polling": Polling,
        "limits": Limits,
        "memory": Memory,
        "brain": Brain,
        "actuation": Actuation,
        "replay": Replay,
        "serve": Serve,
        "watch": Watch,
        "ui": Ui,
    }

    access: Access = Access()
    polling: Polling = Polling()
    limits: Limits = field(default_factory=Limits)
    memory: Memory = field(default_factory=Memory)
    brain: Brain = Brain()
    actuation: Actuation = Actuation()
    replay: Replay = Replay()
    serve: Serve = Serve()
    watch: Watch = Watch()
    ui: Ui = Ui()
    keys: dict[str, str] = field(default_factory=dict)
    """Keys of the screen by the id of what they do; the screen knows which ids there are."""
    origins: dict[str, str] = field(default_factory=dict, repr=False)
    """Where each value that is not a default was set, by key."""

    def origin(self, key: str) -> str:
        """`environment`, `.env`, a file's path, `command line` or `default`, for a key such as `ui.theme`."""
        return self.origins.get(key, "default")
