"""What a Prometheus server asks for before it answers, and one that has nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.launch import launched
from tests.e2e.installed import prometheus, scraping, until, write_targets
from tests.e2e.test_prometheus import run

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD_TEST = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"
"""bcrypt of `test`."""


def test_a_server_behind_basic_authentication(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{ops: '{PASSWORD_TEST}'}}\n")
    with launched("healthy", "vllm", 1, 1) as urls:
        write_targets(tmp_path / "sd.json", urls)
        more = f"--web.config.file={tmp_path / 'web.yml'}"
        with prometheus(tmp_path / "server", scraping(tmp_path / "sd.json"), more, ready=False) as at:
            until(lambda: "HTTP 401" in run("scan", f"prometheus+http://{at}").stdout)
            wrong = run("scan", f"prometheus+http://ops:S3CRET@{at}")
            assert "refuses the credentials" in wrong.stdout
            assert "S3CRET" not in wrong.stdout + wrong.stderr
            until(lambda: run("scan", f"prometheus+http://ops:test@{at}").returncode == 0)
            settings = {"INFERGUARD_BASIC_USER": "ops", "INFERGUARD_BASIC_PASSWORD": "test"}
            assert run("scan", f"prometheus+http://{at}", **settings).returncode == 0


def test_a_server_without_engines_leaves_no_file_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "sd.json").write_text("[]")
    with prometheus(tmp_path / "server", scraping(tmp_path / "sd.json")) as at:
        done = run("record", f"prometheus+http://{at}", "-o", str(tmp_path / "x.jsonl.gz"), "--duration", "2")
    assert done.returncode == 3
    assert "nothing was recorded" in done.stderr
    assert "no vLLM or SGLang series" in done.stderr
    assert not list(tmp_path.glob("*.jsonl.gz"))
