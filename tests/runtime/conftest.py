"""A kernel written by hand, small connectomes, and a cache of compiled kernels shared by the session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ratemlx.abi import Manifest
from ratemlx.runtime import Connectome

LINEAR = Path(__file__).parent / "kernels" / "linear"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of this session's own, so that nothing stale from outside is used and nothing is left behind."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATEMLX_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def linear() -> Path:
    """The folder of the hand-written kernel."""
    return LINEAR


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """Its manifest."""
    return Manifest.load(LINEAR)


@pytest.fixture(scope="session")
def small() -> Connectome:
    """Five regions, half of the tracts, one negative weight, lengths of 6 to 40 mm."""
    generator = np.random.default_rng(1)
    weights = generator.uniform(0.2, 1.0, (5, 5)) * (generator.uniform(size=(5, 5)) < 0.6)
    weights[0, 1] = -0.4
    return Connectome(weights, generator.uniform(6.0, 40.0, (5, 5)), tuple("abcde"), "small")
