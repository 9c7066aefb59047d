"""Every command, script and file of the README and of the documentation works as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ratemlx.resources import shipped_models
from tests.house.pages import Step, matches, pages, steps
from tests.house.sources import CHECKOUT

COMMAND_SECONDS = 120


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home of its own, shared by all pages so that kernels are compiled once."""
    home = tmp_path_factory.mktemp("home")
    ours = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "COLUMNS": "120", "MPLBACKEND": "Agg"}
    ours["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {name: value for name, value in os.environ.items() if not name.startswith("RATEMLX_")} | ours


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_page(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    for step in steps(page.read_text(encoding="utf-8")):
        if step.title:
            (tmp_path / step.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / step.title).write_text(step.text, encoding="utf-8")
        else:
            _run(step, f"{page.name}:{step.line}", tmp_path, environment)


def _run(step: Step, place: str, folder: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-W", "error", "-c", step.text] if step.is_python else ["bash", "-c", step.text]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    shows_its_failure = step.output is not None and "error" in step.output
    assert done.returncode == 0 or shows_its_failure, f"{place}: {step.text}\n{done.stdout}"
    if step.output is not None:
        assert matches(step.output, done.stdout), f"{place}: {step.text}\nprints\n{done.stdout}\nnot\n{step.output}"


def test_numbers_may_differ_but_words_may_not() -> None:
    assert matches("16 instances in 2.5 s", "8 instances in 1e-3 s\n")
    assert matches("plan ...\ndone", "plan of 3 batches\n1\n2\ndone")
    assert not matches("16 instances", "16 regions")
    assert not matches("done", "done twice")


def test_blocks_become_steps() -> None:
    page = (
        "```sh\n# a comment\nls \\\n  -l\n```\n"
        '```xml title="a.xml"\n<Lems/>\n```\n'
        "```console\n$ cat a.xml\n<Lems/>\n$ true\n```\n"
        "```python\nimport ratemlx\n```\n"
        "```text\nrm -rf everything\n```\n"
    )
    assert list(steps(page)) == [
        Step(2, "ls    -l"),
        Step(7, "<Lems/>\n", title="a.xml"),
        Step(10, "cat a.xml", output="<Lems/>\n"),
        Step(10, "true", output=""),
        Step(15, "import ratemlx\n", is_python=True),
    ]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
    for name in shipped_models():
        page = (tmp_path / "site" / "models" / f"{name}.html").read_text(encoding="utf-8")
        assert page.count("<math") > 5
        assert re.search(r"formula-(inline|displayed)|\$\$", page) is None
        assert (tmp_path / "site" / "models" / f"{name}-traces.png").is_file()
