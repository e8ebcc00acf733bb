"""`inferguard watch` in a process of its own, and what it says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.installed import answers, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WATCH = [sys.executable, "-m", "inferguard_tui", "watch", "--interval", "0.5"]


class Running:
    """A service, what it prints, and where it listens."""

    def __init__(self, child: subprocess.Popen[str], listen: str, out: Path) -> None:
        self.child = child
        self.url = f"http://{listen}"
        self._out = out

    @property
    def printed(self) -> str:
        return self._out.read_text()

    def metrics(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        """Samples by name, as the reference parser reads them."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation
            assert family.type != "unknown"
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    def anomaly(self, name: str, kind: str) -> float | None:
        wanted = (
            v
            for labels, v in self.metrics().get("inferguard_anomaly", ())
            if labels["instance"] == name and labels["kind"] == kind
        )
        return next(wanted, None)

    def names(self) -> set[str]:
        return {labels["instance"] for labels, _ in self.metrics().get("inferguard_endpoint_info", ())}


@contextmanager
def service(where: Path, *arguments: str, **variables: str) -> Iterator[Running]:
    listen = f"127.0.0.1:{free_port()}"
    out = where / f"out-{free_port()}"
    with out.open("w") as log:
        child = subprocess.Popen(
            [*WATCH, "--listen", listen, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "INFERGUARD_STATE_DIR": str(where / "state"), **variables},
        )
        try:
            until(lambda: child.poll() is not None or answers(f"http://{listen}/healthz"))
            assert child.poll() is None, out.read_text()
            yield Running(child, listen, out)
        finally:
            child.terminate()
            assert child.wait(15) in (0, 1, 2, 3)
            assert "Traceback" not in out.read_text(), out.read_text()
