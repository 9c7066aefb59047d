"""The wheel, installed alone in a folder and used from another, has all that it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel, built now, is installed without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT), cwd=folder)
    (wheel,) = folder.glob("ratemlx-*.whl")
    target = folder / "site"
    _python("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target), str(wheel), cwd=folder)
    return target


def _python(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_package_is_the_one_that_runs(site: Path, tmp_path: Path) -> None:
    where = _python("-c", "import ratemlx; print(ratemlx.__file__)", cwd=tmp_path, path=site)
    assert Path(where.strip()) == site / "ratemlx" / "__init__.py"


def test_models_templates_and_headers_are_inside(site: Path) -> None:
    package = site / "ratemlx"
    data = package / "_data"
    assert {path.name for path in (data / "models").iterdir()} == {
        path.name for path in (CHECKOUT / "models").iterdir()
    }
    assert (package / "py.typed").is_file()
    assert (package / "runtime" / "include" / "ratemlx" / "abi.h").is_file()
    assert list((data / "templates").rglob("*.mako")) != []


def test_it_lists_models(site: Path, tmp_path: Path) -> None:
    listed = _python("-m", "ratemlx", "models", cwd=tmp_path, path=site)
    assert [line.split()[0] for line in listed.splitlines() if line.startswith(("adex ", "kuramoto "))] == [
        "adex",
        "kuramoto",
    ]


def test_it_generates_what_the_checkout_holds(site: Path, tmp_path: Path) -> None:
    _python("-m", "ratemlx", "generate", "adex", "-o", "kernels", cwd=tmp_path, path=site)
    for committed in (CHECKOUT / "generated" / "adex").rglob("*.*"):
        written = tmp_path / "kernels" / committed.relative_to(CHECKOUT / "generated")
        assert written.read_bytes() == committed.read_bytes(), committed


def test_it_writes_job_scripts(site: Path, tmp_path: Path) -> None:
    words = ("linear", "--duration", "1", "-o", "sweep", "--site", "cpu", "--time", "5")
    _python("-m", "ratemlx", "slurm", *words, cwd=tmp_path, path=site)
    assert (tmp_path / "linear.slurm").read_text(encoding="utf-8").startswith("#!/bin/bash\n")
