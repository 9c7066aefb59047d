"""Fitness of instances against NumPy and SciPy, and against the published references."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from ratemlx.errors import MetricError
from ratemlx.fitness import FitnessSettings, parse_terms, prepare
from ratemlx.metrics import Recording
from ratemlx.runtime import load_connectome
from tests.fitness.made import LABELS, Array, recorded, saved, some_fc

FC = some_fc(4)
TARGET = some_fc(1, seed=9)[0]
OFF = ~np.eye(5, dtype=bool)
WEIGHTS = np.random.default_rng(3).random((5, 5))


def lin(a: Array, b: Array) -> float:
    covariance = np.cov(a, b, bias=True)
    return 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (a.mean() - b.mean()) ** 2)


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        ("pearson", lambda a, b: np.corrcoef(a, b)[0, 1]),
        ("spearman", lambda a, b: scipy.stats.spearmanr(a, b).statistic),
        ("concordance", lin),
    ],
)
def test_similarities(similarity: str, expected: Callable[[Array, Array], float], tmp_path: Path) -> None:
    settings = FitnessSettings(
        terms=("FC", "FC_SC"),
        reference=saved(tmp_path, "fc.npy", TARGET),
        reference_order="connectome",
        similarity=similarity,
    )
    found = prepare(settings, WEIGHTS, WEIGHTS, LABELS, ("E",)).evaluate({"E": recorded(FC)})
    np.testing.assert_allclose(found["fitness_FC_E"], [expected(fc[OFF], TARGET[OFF]) for fc in FC], rtol=1e-12)
    np.testing.assert_allclose(found["fitness_FC_SC_E"], [expected(fc[OFF], WEIGHTS[OFF]) for fc in FC], rtol=1e-12)
    np.testing.assert_allclose(found["fitness"], (found["fitness_FC_E"] + found["fitness_FC_SC_E"]) / 2)


def test_regions_are_compared_by_name(tmp_path: Path) -> None:
    """A reference in another order is as good as one in the connectome's; one in a wrong order is not."""
    places = [4, 0, 3, 2, 1]
    turned = FC[0][np.ix_(places, places)]
    names = np.array([LABELS[place] for place in places])
    path = saved(tmp_path, "fc.npz", {"fc": turned, "labels": names})
    right = prepare(FitnessSettings(reference=path), WEIGHTS, WEIGHTS, LABELS, ("E",))
    wrong = prepare(FitnessSettings(reference=path, reference_order="connectome"), WEIGHTS, WEIGHTS, LABELS, ("E",))
    assert right.evaluate({"E": recorded(FC)})["fitness"][0] == pytest.approx(1.0)
    assert wrong.evaluate({"E": recorded(FC)})["fitness"][0] < 0.5


def test_a_reference_of_some_regions_is_compared_on_these(tmp_path: Path) -> None:
    some = [3, 2, 0]
    path = saved(tmp_path, "fc.npz", {"fc": FC[1][np.ix_(some, some)], "labels": np.array(["l_a", "r_c", "r_a"])})
    fitness = prepare(FitnessSettings(reference=path), WEIGHTS, WEIGHTS, LABELS, ("E",))
    assert fitness.evaluate({"E": recorded(FC)})["fitness"][1] == pytest.approx(1.0)
    assert "fc.npz has 3 of 5 regions; the others are left out" in fitness.notes


def test_the_diagonal_is_left_out_and_said_to_be(reference: Path) -> None:
    """With it, connectivity of nothing at all scores 0.75 against a published reference."""
    connectome = load_connectome("tvb:68")
    path = reference / "fc" / "g0.0_be0.npy"
    nothing = np.eye(68)[None] + 1e-12 * some_fc(1, 68)
    scores = {}
    for diagonal in (False, True):
        settings = FitnessSettings(reference=path, reference_order="DKrl", diagonal=diagonal)
        names = ("E", "I")
        fitness = prepare(settings, connectome.weights, connectome.tract_lengths, connectome.region_labels, names)
        scores[diagonal] = fitness.evaluate(dict.fromkeys(names, recorded(nothing)))["fitness_FC_E"][0]
        assert ("off their diagonals" in fitness.notes[0]) is not diagonal
    assert scores[True] == pytest.approx(0.75, abs=0.01)
    assert abs(scores[False]) < 0.1


def test_each_exposure_has_its_own_matrix(reference: Path) -> None:
    connectome = load_connectome("tvb:68")
    path = reference / "fc" / "g0.4_be120.npy"
    both = np.load(path).astype(np.float64)
    settings = FitnessSettings(reference=path, reference_order="connectome")
    fitness = prepare(settings, connectome.weights, connectome.tract_lengths, connectome.region_labels, ("E", "I"))
    found = fitness.evaluate({name: recorded(both[None, :, :, index]) for index, name in enumerate(("E", "I"))})
    np.testing.assert_allclose([found[name][0] for name in found], 1.0, rtol=1e-12)
    swapped = fitness.evaluate({name: recorded(both[None, :, :, 1 - index]) for index, name in enumerate(("E", "I"))})
    assert swapped["fitness"][0] < 1 - 1e-6


def test_weights_of_terms_and_columns(tmp_path: Path) -> None:
    terms, weights = parse_terms(["FC=3", "FC_SC"])
    settings = FitnessSettings(
        terms=terms, weights=weights, reference=saved(tmp_path, "fc.npy", TARGET), reference_order="connectome"
    )
    fitness = prepare(settings, WEIGHTS, WEIGHTS, LABELS, ("E", "I"))
    found = fitness.evaluate({"E": recorded(FC), "I": recorded(FC[::-1].copy())})
    names = ["fitness", "fitness_FC_E", "fitness_FC_SC_E", "fitness_FC_I", "fitness_FC_SC_I"]
    assert [column.name for column in fitness.columns()] == names
    assert sorted(found) == sorted(names)
    of_fc = (found["fitness_FC_E"] + found["fitness_FC_I"]) / 2
    of_sc = (found["fitness_FC_SC_E"] + found["fitness_FC_SC_I"]) / 2
    np.testing.assert_allclose(found["fitness"], 0.75 * of_fc + 0.25 * of_sc)
    assert "0.75 FC + 0.25 FC_SC, each the mean of 2 exposures" in fitness.columns()[0].description
    assert not fitness.needs_series


def rates(n_instances: int, seed: int) -> Array:
    random = np.random.default_rng(seed)
    noise = np.cumsum(random.standard_normal((n_instances, 3000, 5)), axis=1)
    return (0.01 + 1e-4 * noise).astype(np.float32)


def test_distances_of_dynamics(tmp_path: Path) -> None:
    from ratemlx.metrics.dynamic_connectivity import fcd_values, phase_fcd_values

    series = rates(3, 1)
    recording = Recording(series, 1.0, "kHz")
    own, phases = fcd_values(recording), phase_fcd_values(recording)
    settings = FitnessSettings(
        terms=("FCD", "phFCD"), fcd=saved(tmp_path, "fcd.npy", own[0]), phfcd=saved(tmp_path, "phfcd.npy", phases[1])
    )
    fitness = prepare(settings, WEIGHTS, WEIGHTS, LABELS, ("E",))
    assert fitness.needs_series
    found = fitness.evaluate({"E": Recording(series, 1.0, "kHz", references=fitness.references)})
    wanted = [1 - scipy.stats.ks_2samp(row, own[0]).statistic for row in own]
    np.testing.assert_allclose(found["fitness_FCD_E"], wanted, rtol=1e-12)
    assert found["fitness_FCD_E"][0] == 1.0
    assert found["fitness_phFCD_E"][1] == 1.0
    np.testing.assert_allclose(found["fitness"], (found["fitness_FCD_E"] + found["fitness_phFCD_E"]) / 2)


def test_instances_without_connectivity_have_no_fitness() -> None:
    broken = FC.copy()
    broken[1] = 0.0
    broken[1, 2, 2] = 1.0
    found = prepare(FitnessSettings(), WEIGHTS, WEIGHTS, LABELS, ("E",)).evaluate({"E": recorded(broken)})
    np.testing.assert_array_equal(np.isnan(found["fitness"]), [False, True, False, False])


def test_without_a_reference_the_connectome_is_one() -> None:
    assert FitnessSettings().chosen == ("FC_SC",)
    assert FitnessSettings(reference=Path("fc.npy")).chosen == ("FC",)
    assert FitnessSettings(fcd=Path("fcd.npy"), phfcd=Path("ph.npy")).chosen == ("FCD", "phFCD")


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    path = saved(tmp_path, "fc.npy", TARGET)
    order = saved(tmp_path, "order.json", LABELS)
    settings = FitnessSettings(reference=path, reference_order=str(order))
    first = settings.fingerprint
    assert first == FitnessSettings(reference=path, reference_order=str(order)).fingerprint
    assert first != FitnessSettings(reference=path, reference_order=str(order), diagonal=True).fingerprint
    saved(tmp_path, "order.json", LABELS[::-1])
    second = settings.fingerprint
    saved(tmp_path, "fc.npy", TARGET * 0.5)
    assert len({first, second, settings.fingerprint}) == 3
    with pytest.raises(MetricError, match=r"none\.npy does not exist"):
        _ = FitnessSettings(reference=tmp_path / "none.npy").fingerprint


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FitnessSettings(terms=("FCSC",)), "fitness has no term 'FCSC'"),
        (
            lambda: FitnessSettings(terms=("FC_SC",), fcd=Path("fcd.npy")),
            "fcd.npy is given for fitness, and no term compares with it",
        ),
        (lambda: FitnessSettings(terms=("FC_SC", "FC_SC")), "fitness has a term twice: FC_SC, FC_SC"),
        (lambda: FitnessSettings(terms=("FC",)), "the fitness term FC needs a reference FC matrix"),
        (lambda: FitnessSettings(terms=("phFCD",)), "the fitness term phFCD needs values of a reference phFCD"),
        (lambda: FitnessSettings(weights=(1.0, 2.0)), "fitness has 2 weights for 1 terms"),
        (lambda: FitnessSettings(weights=(0.0,)), "a weight of fitness must be a number above zero; one is 0"),
        (lambda: FitnessSettings(similarity="cosine"), "there is no similarity 'cosine'"),
        (lambda: FitnessSettings(reference_order="DKrl"), "an order of regions is given for a reference, but no ref"),
        (lambda: parse_terms(["FC=much"]), "the weight of the fitness term 'FC=much' is not a number"),
        (
            lambda: prepare(FitnessSettings(exposures=("V",)), WEIGHTS, WEIGHTS, LABELS, ("E", "I")),
            "fitness is asked of V, which is not recorded",
        ),
        (
            lambda: prepare(FitnessSettings(), np.ones((5, 5)), WEIGHTS, LABELS, ("E",)),
            "the fitness term FC_SC has nothing to compare with: all entries are the same",
        ),
        (
            lambda: prepare(FitnessSettings(), WEIGHTS, WEIGHTS, LABELS, ("E",)).evaluate({}),
            "fitness is taken of E, which was not recorded",
        ),
    ],
)
def test_mistakes_are_told_in_one_message(make: Callable[[], object], message: str) -> None:
    with pytest.raises(MetricError) as caught:
        make()
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("similarity", ["pearson", "spearman", "concordance"])
def test_fitness_is_the_same_whatever_instances_are_looked_at_together(similarity: str) -> None:
    random = np.random.default_rng(3)
    series = random.standard_normal((7, 60, WEIGHTS.shape[0]))
    labels = tuple(map(str, range(WEIGHTS.shape[0])))
    fitness = prepare(FitnessSettings(similarity=similarity), WEIGHTS, WEIGHTS, labels, ("E",))
    together = fitness.evaluate({"E": Recording(series, period=1.0)})["fitness"]
    alone = [fitness.evaluate({"E": Recording(series[i : i + 1], period=1.0)})["fitness"][0] for i in range(7)]
    assert together.tolist() == alone
