"""The distribution as people get it: built, installed apart from the checkout, run from elsewhere."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("wheel")  # built once, also where the tests of a file are split
ROOT = Path(__file__).parents[1]
PACKAGES = {
    "inferguard_core": ROOT / "core",
    "inferguard_brain": ROOT / "brain",
    "inferguard_themes": ROOT / "themes",
    "inferguard_tui": ROOT,
}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def _no_path_to_the_checkout() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT))
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it.

    The dependencies come from the environment of the tests by a path entry, which brings the packages there but
    not its `.pth` files, so not the checkout.
    """
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(
        *(sys.executable, "-m", "pip", "--python", home / "bin" / "python"),
        *("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", wheel),
    )
    return home


def sources() -> set[str]:
    """Every file of the four packages in this checkout, as the wheel should name it."""
    return {
        path.relative_to(root).as_posix()
        for package, root in PACKAGES.items()
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == sources()


def test_themes_styles_and_type_markers_are_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.startswith("inferguard_themes/") and name.endswith(".toml")]
    assert [name for name in names if name.endswith(".tcss")]
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_sdist_holds_what_the_tests_need_and_no_caches(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", ".env.example", "requirements-dev.lock", "tests/test_wheel.py"} <= names
    assert not [
        name for name in names if "__pycache__" in name or "_cache/" in name or name.startswith(".venv")
    ]


def test_only_the_four_packages_are_installed(installed: Path) -> None:
    (site,) = installed.glob("lib/python*/site-packages")
    packages = {path.name for path in site.iterdir() if path.is_dir() and path.suffix != ".dist-info"}
    assert packages == set(PACKAGES)


def test_the_installed_packages_are_not_the_checkout(installed: Path) -> None:
    code = (
        "import inferguard_core, inferguard_brain, inferguard_themes, inferguard_tui as t; print(t.__file__)"
    )
    origin = run(installed / "bin" / "python", "-c", code, cwd=Path("/")).strip()
    assert Path(origin).is_relative_to(installed)


def test_the_command_runs_from_anywhere(installed: Path, wheel: Path) -> None:
    version = wheel.name.split("-")[1]
    assert version in run(installed / "bin" / "inferguard", "--version", cwd=Path("/"))
