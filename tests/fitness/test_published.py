"""AdEx networks against the functional connectivity that was published with the parameter exploration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ratemlx.fitness import FitnessSettings, prepare
from ratemlx.metrics import Recording, Statistics
from ratemlx.observables.correlation import matrices
from ratemlx.observables.settings import ObservableSettings
from ratemlx.runtime import load_connectome
from tests.observables.runs import observed
from tests.support.shipped import shipped

EXPOSURES = ("E", "I")


@pytest.fixture(scope="module")
def recordings() -> dict[str, Recording]:
    """Noisy networks at g = 0.4 with adaptation of 24, 72 and 120 pA: four seconds after two, connectivity only."""
    spec = shipped(
        "adex",
        duration=6000.0,
        sweep={"b_e": [24.0, 72.0, 120.0]},
        params={"global_coupling": 0.4, "E_L_e": -64.0, "weight_noise": 1e-4},
        conduction_speed=3.0,
        observe=EXPOSURES,
    )
    found = observed(spec, ObservableSettings(transient=2000.0))
    names = ("mean", "variance", "minimum", "maximum")
    return {
        name: Recording(
            None,
            1.0,
            "kHz",
            statistics=Statistics(*(found[item][:, index] for item in names), fc=matrices(found["fc"][:, index])),
        )
        for index, name in enumerate(EXPOSURES)
    }


@pytest.mark.parametrize("name", ["g0.3_be24", "g0.4_be72", "g0.4_be120"])
def test_networks_resemble_published_ones_in_their_order_of_regions_only(
    name: str, recordings: dict[str, Recording], reference: Path
) -> None:
    """Off the diagonal, 0.25 to 0.6 in FreeSurfer's order, and nothing in the connectome's."""
    connectome = load_connectome("tvb:68")
    scores = {}
    for order in ("DKrl", "connectome"):
        settings = FitnessSettings(reference=reference / "fc" / f"{name}.npy", reference_order=order)
        fitness = prepare(settings, connectome.weights, connectome.tract_lengths, connectome.region_labels, EXPOSURES)
        scores[order] = fitness.evaluate(recordings)["fitness_FC_E"]
    assert (scores["DKrl"] > 0.25).all()
    assert (scores["DKrl"] < 0.6).all()
    assert (np.abs(scores["connectome"]) < 0.2).all()
