"""Stands alone: whether flags are taken by the argument parser of the engine that is installed here.

One argument, a JSON object {"engine", "version", "flags": [[name, value], …]}; the last line printed is the answer.
The parser is the engine's own; no engine is started, no model is looked for.
"""

import argparse
import contextlib
import importlib
import importlib.metadata
import io
import json
import sys
from typing import Any


def vllm_parser() -> argparse.ArgumentParser:
    """The parser of `vllm serve`; its class has moved twice."""
    for place in ("vllm.utils.argparse_utils", "vllm.utils"):
        with contextlib.suppress(ImportError, AttributeError):
            flexible = importlib.import_module(place).FlexibleArgumentParser
            break
    else:
        flexible = argparse.ArgumentParser
    made = importlib.import_module("vllm.entrypoints.openai.cli_args").make_arg_parser(flexible())
    assert isinstance(made, argparse.ArgumentParser)
    return made


def sglang_parser() -> argparse.ArgumentParser:
    """The parser of `sglang.launch_server`, whose model is required."""
    parser = argparse.ArgumentParser()
    importlib.import_module("sglang.srt.server_args").ServerArgs.add_cli_args(parser)
    for action in parser._actions:  # noqa: SLF001 - a model is required, and is not what is asked about
        action.required = False
    return parser


PARSERS = {"vllm": vllm_parser, "sglang": sglang_parser}


def tried(parser: argparse.ArgumentParser, name: str, value: str) -> str:
    """What the parser says against one flag; empty when it takes it."""
    said = io.StringIO()
    words = [name, value] if value else [name]
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            _, unknown = parser.parse_known_args(words)
    except (SystemExit, Exception) as error:  # noqa: BLE001 - a parser exits, its types raise anything
        last = said.getvalue().strip().splitlines()
        return last[-1] if last else f"{type(error).__name__}: {error}"
    return f"unrecognised: {' '.join(unknown)}" if unknown else ""


def judged(asked: dict[str, Any]) -> dict[str, Any]:
    """The verdict on what is asked."""
    engine, wanted = asked["engine"], asked.get("version") or ""
    try:
        version = importlib.metadata.version(engine)
    except importlib.metadata.PackageNotFoundError:
        return {"verdict": "not_run", "reason": f"{engine} is not installed here"}
    if wanted and version.split("+")[0] != wanted.split("+")[0]:
        return {
            "verdict": "not_run",
            "reason": f"{engine} {version} is installed here, the engine runs {wanted}",
        }
    try:
        with contextlib.redirect_stdout(sys.stderr):
            parser = PARSERS[engine]()
    except BaseException as error:  # noqa: BLE001 - importing an engine may end in anything, an exit too
        return {
            "verdict": "not_run",
            "reason": f"{engine} {version} cannot be loaded: {type(error).__name__}: {error}",
        }
    parser.allow_abbrev = False
    lines, refused = [], []
    for name, value in asked["flags"]:
        wrong = tried(parser, name, value)
        lines.append(f"{name} {value}".strip() + (f": {wrong}" if wrong else ": taken"))
        if wrong:
            refused.append(name)
    reason = (
        f"{engine} {version} refuses {', '.join(refused)}"
        if refused
        else f"{engine} {version} takes all of them"
    )
    return {"verdict": "failed" if refused else "passed", "reason": reason, "evidence": lines}


if __name__ == "__main__":
    print(json.dumps(judged(json.loads(sys.argv[1]))))
