"""The shared fixtures find what they promise."""

from __future__ import annotations

from pathlib import Path


def test_reference_holds_the_files_that_its_readme_names(reference: Path) -> None:
    names = {"network_eq2.npz", "network_first_order.npz", "network_second_order.npz", "transfer_function.npz"}
    assert names <= {path.name for path in (reference / "adex").iterdir()}


def test_rateml_models_are_all_there(rateml_models: Path) -> None:
    assert {path.stem for path in rateml_models.glob("*.xml")} == {
        "epileptor",
        "kuramoto",
        "model_template",
        "montbrio",
        "oscillator",
        "rwongwang",
        "rwongwang_deco",
        "zerlaut",
    }
