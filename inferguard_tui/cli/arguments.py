"""What the commands that reach endpoints have in common: their options, and the settings they lead to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from inferguard_core.settings import Settings, SettingsProblem


def complain(*messages: str) -> None:
    """Words for a person, on stderr."""
    for message in messages:
        print(f"inferguard: {message}", file=sys.stderr)


def add_access(parser: argparse.ArgumentParser) -> None:
    """Options about where endpoints are and how they are reached."""
    parser.add_argument(
        "urls",
        nargs="*",
        metavar="URL",
        help='host:port, http(s)://host:port, or prometheus+http(s)://host:9090?match={job="vllm"}',
    )
    add_reach(parser)


def add_reach(parser: argparse.ArgumentParser) -> None:
    """How endpoints are reached."""
    group = parser.add_argument_group("access")
    group.add_argument("--ca", type=Path, metavar="FILE", help="PEM file of the authorities to trust")
    group.add_argument("--insecure", action="store_true", default=None, help="accept any certificate")
    group.add_argument("--deadline", type=float, metavar="S", help="total seconds for one poll (default 5)")
    add_config(group)


def add_config(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")


def add_interval(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--interval", type=float, metavar="S", help=f"seconds between polls (default {default})"
    )


def settings_from(arguments: argparse.Namespace) -> Settings | None:
    """The settings in force under these arguments; None after saying what is wrong with them."""
    return _told(load_settings(arguments))


def settings_begun(arguments: argparse.Namespace) -> Callable[[], Settings | None]:
    """As `settings_from`, read apart from this process while it loads other things; see `settings.apart`."""
    from inferguard_core.settings.apart import begin

    loaded = begin(_overrides(arguments), vars(arguments).get("config"))
    return lambda: _told(loaded())


def load_settings(arguments: argparse.Namespace) -> Settings | SettingsProblem:
    """The settings in force under these arguments, or what is wrong with them."""
    from inferguard_core.settings.loading import load

    return load(_overrides(arguments), vars(arguments).get("config"))


def _told(loaded: Settings | SettingsProblem) -> Settings | None:
    from inferguard_core.settings import SettingsProblem

    if isinstance(loaded, SettingsProblem):
        complain(*loaded.messages)
        return None
    return loaded


def _overrides(arguments: argparse.Namespace) -> Mapping[str, object]:
    """What the command line sets, by key; None is not given."""
    given = vars(arguments)
    return {
        "access.ca_file": given.get("ca"),
        "access.insecure": given.get("insecure"),
        "access.deadline_seconds": given.get("deadline"),
        "polling.interval_seconds": given.get("interval"),
        "replay.max_concurrency": given.get("max_concurrency"),
        "replay.max_sessions": given.get("max_sessions"),
        "replay.max_wait_seconds": given.get("max_wait"),
        "replay.runtime_stack_id": given.get("runtime_stack_id"),
        "watch.listen": given.get("listen"),
        "watch.alertmanager": given.get("alertmanager"),
        "watch.alert_webhook": given.get("alert_webhook"),
        "watch.file_sd": given.get("file_sd"),
        "watch.http_sd": given.get("http_sd"),
        "ui.theme": given.get("theme"),
        "actuation.read_only": given.get("read_only"),
    }
