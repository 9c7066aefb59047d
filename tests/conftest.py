"""What all tests share: where the reference data and RateML's own model files are."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


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
