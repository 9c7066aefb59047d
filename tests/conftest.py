"""What all tests share: a cache of compiled kernels, and where the reference data and RateML's own model files are."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from ratemlx.runtime import stopping

HANDLERS = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where kernels are compiled: a folder of this session's own, unless RATEMLX_CACHE_DIR names one to be kept."""
    folder = Path(os.environ.get("RATEMLX_CACHE_DIR") or tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATEMLX_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """What a command line called by a test, or by a fixture of several, makes of signals ends with it."""
    hook = sys.unraisablehook
    _forget_signals()
    yield
    _forget_signals()
    sys.unraisablehook = hook


def _forget_signals() -> None:
    for number, handler in HANDLERS.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
    received = stopping._Received
    received.name, received.raised, received.held, received.began = None, False, False, None


MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Notes a measured error; `pytest -v` lists them at its end."""
    lines = request.config.stash.setdefault(MEASURED, [])
    return lambda unit, value: lines.append(f"{value:.2e}  {unit}: {request.node.nodeid.rpartition('/')[2]}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of measured errors."""
    lines = config.stash.get(MEASURED, [])
    if lines and config.get_verbosity() > 0:
        terminalreporter.section("measured errors")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of the reference data; the environment variable RATEMLX_REFERENCE overrides its place."""
    folder = Path(os.environ.get("RATEMLX_REFERENCE", CHECKOUT.parent / "shared" / "reference"))
    if not (folder / "adex" / "transfer_function.npz").is_file():
        pytest.fail(
            "no reference data: put them in shared/reference beside the checkout, "
            "or name their folder in RATEMLX_REFERENCE",
            pytrace=False,
        )
    return folder


@pytest.fixture(scope="session")
def rateml_models() -> Path:
    """Folder of RateML's own model files, found through the package's record so that nothing of tvb is imported."""
    try:
        files = metadata.files("tvb-contrib") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "montbrio.xml" and file.parent.name == "XMLmodels":
            return Path(str(file.locate())).resolve().parent
    pytest.fail("RateML's models are missing: pip install --no-deps tvb-contrib", pytrace=False)
