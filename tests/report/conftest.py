"""Runs to report on, and a browser to look at the pages with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.report.runs import Recipe, write_database, write_series


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a database: a grid of 5 x 4 x 3 x 2 instances, four of which diverged."""
    folder = tmp_path_factory.mktemp("report") / "run"
    write_database(folder)
    return folder


@pytest.fixture(scope="session")
def series_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from before there were metrics: only time series, of a grid of 3 x 2."""
    folder = tmp_path_factory.mktemp("report") / "series"
    write_series(folder)
    return folder


@pytest.fixture(scope="session")
def empty_recipe() -> Recipe:
    """A single point without arrays."""
    return Recipe(g=(0.4,), b_e=(80.0,), tau=(500.0,), speed=(2.0,), arrays=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium, driven through Selenium, with its console recorded."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.fail("no browser: apt-get install chromium chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(3)
