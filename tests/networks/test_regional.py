"""Parameters that vary between regions, and stimuli: on both targets, and neutral where they change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.errors import ModelError, SweepError
from ratemlx.runtime import Connectome
from ratemlx.runtime.stimulus import Stimulus

TARGETS = ("cpu", "cuda-emulation")
SMALL = {"duration": 20.0, "connectome": "tvb:68", "noise": True, "observe": ("E", "I")}


def series(model: str = "adex_first_order", **more: object) -> np.ndarray:
    with np.errstate(all="ignore"):
        return ratemlx.simulate(model, **{**SMALL, **more}).time_series.values


def disconnected(regions: int = 3) -> Connectome:
    labels = tuple(f"region {place}" for place in range(regions))
    return Connectome(np.zeros((regions, regions)), np.ones((regions, regions)), labels)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "value"), [("b_e", 40.0), ("C_m", 190.0), ("E_e", 0.0)])
def test_equal_values_in_all_regions_are_the_scalar_to_the_bit(target: str, name: str, value: float) -> None:
    scalar = series(params={name: value}, target=target, duration=5.0)
    regional = series(params={name: np.full(68, value)}, target=target, duration=5.0)
    assert scalar.tobytes() == regional.tobytes()


@pytest.mark.parametrize("target", TARGETS)
def test_without_tracts_each_region_is_the_network_with_its_own_value(target: str) -> None:
    more = {"connectome": disconnected(), "target": target, "noise": False, "precision": "float64", "duration": 40.0}
    for name, values in {"b_e": (10.0, 40.0, 90.0), "tau_e": (4.0, 5.0, 6.5)}.items():
        together = series(params={name: np.array(values), "external_input_ex_ex": 5e-4}, **more)
        for region, value in enumerate(values):
            alone = series(params={name: value, "external_input_ex_ex": 5e-4}, **more)
            np.testing.assert_allclose(together[0, ..., region], alone[0, ..., region], rtol=1e-11, atol=1e-16)
        assert np.ptp(together[0, 0, -1]) > 1e-12


def test_a_swept_parameter_multiplies_its_map() -> None:
    shape = np.array([0.5, 1.0, 2.0])
    more = {"connectome": disconnected(), "noise": False, "duration": 30.0}
    swept = series(params={"b_e": shape}, sweep={"b_e": [10.0, 40.0]}, **more)
    for place, factor in enumerate((10.0, 40.0)):
        fixed = series(params={"b_e": factor * shape}, **more)
        assert swept[place].tobytes() == fixed[0].tobytes()


def test_values_come_from_files_and_labels(tmp_path: Path) -> None:
    more = {"connectome": disconnected(), "noise": False, "duration": 5.0}
    values = [1.0, 20.0, 60.0]
    expected = series(params={"b_e": np.array(values)}, **more)
    (tmp_path / "b_e.csv").write_text("1\n20\n60\n", encoding="utf-8")
    np.save(tmp_path / "b_e.npy", np.array(values))
    labelled = {f"region {place}": value for place, value in enumerate(values)}
    for given in (f"@{tmp_path / 'b_e.csv'}", f"@{tmp_path / 'b_e.npy'}", labelled):
        assert series(params={"b_e": given}, **more).tobytes() == expected.tobytes()


@pytest.mark.parametrize("target", TARGETS)
def test_a_stimulus_of_zero_changes_no_bit(target: str) -> None:
    without = series(target=target)
    for course in ("0", np.zeros(200), Stimulus("5e-4", np.zeros(68))):
        assert series(target=target, stimuli={"stimulus_ex": course}).tobytes() == without.tobytes()


@pytest.mark.parametrize("target", TARGETS)
def test_a_constant_stimulus_is_external_drive(target: str) -> None:
    more = {"target": target, "precision": "float64", "noise": False}
    driven = series(stimuli={"stimulus_ex": "1e-4", "stimulus_in": "5e-5"}, **more)
    inputs = {"external_input_ex_ex": 0.315e-3 + 1e-4, "external_input_in_ex": 0.315e-3 + 5e-5}
    np.testing.assert_allclose(driven, series(params=inputs, **more), rtol=1e-9)


def test_a_pulse_acts_when_and_where_it_is_given() -> None:
    more = {"connectome": disconnected(), "noise": False, "duration": 30.0, "precision": "float64"}
    quiet = series(**more)[0, 0]
    pulse = Stimulus("3e-4 * (heaviside(t - 10) - heaviside(t - 20))", {"region 1": 1.0})
    driven = series(stimuli={"stimulus_ex": pulse}, **more)[0, 0]
    assert driven[:10].tobytes() == quiet[:10].tobytes()
    assert driven[:, [0, 2]].tobytes() == quiet[:, [0, 2]].tobytes()
    assert (driven[11:, 1] > quiet[11:, 1]).all()


def test_courses_are_interpolated_from_rows_and_read_from_files(tmp_path: Path) -> None:
    more = {"connectome": disconnected(), "noise": False, "duration": 10.0}
    expected = series(stimuli={"stimulus_ex": "1e-5 * t"}, **more)
    rows = np.array([[0.0, 0.0], [20.0, 2e-4]])
    path = tmp_path / "course.csv"
    path.write_text("time,value\n0,0\n20,2e-4\n", encoding="utf-8")
    for course in (rows, f"@{path}", 1e-5 * 0.1 * np.arange(100)):
        np.testing.assert_allclose(series(stimuli={"stimulus_ex": course}, **more), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"params": {"b_e": [1.0, 2.0]}}, "b_e has 2 values; connectome has 3 regions"),
        ({"params": {"b_e": [1.0, np.nan, 2.0]}}, "b_e has values that are not finite"),
        ({"params": {"b_e": {"region 9": 1.0}}}, "b_e: connectome has no region 'region 9'"),
        ({"params": {"b_e": {"region 1": 1.0}}}, "b_e lacks 2 regions, such as 'region 0'"),
        ({"params": {"conduction_speed": [1.0, 2.0, 3.0]}}, "conduction_speed is one number for the whole network"),
        ({"stimuli": {"current": "1"}}, "adex_first_order has no input 'current'"),
        (
            {"stimuli": {"stimulus_ex": np.zeros(7)}},
            "the time course of stimulus_ex has 7 values; the run has 50 steps",
        ),
        ({"stimuli": {"stimulus_ex": "log(t - 100)"}}, "the time course of stimulus_ex has values that are not finite"),
        (
            {"stimuli": {"stimulus_ex": [[1.0, 0.0], [0.0, 1.0]]}},
            "the times of the course of stimulus_ex must increase",
        ),
    ],
)
def test_faulty_settings_get_one_message(more: dict[str, object], message: str) -> None:
    with pytest.raises(SweepError) as caught:
        series(connectome=disconnected(), duration=5.0, **more)
    assert caught.value.message == message


@pytest.mark.parametrize("course", ["x + 1", "__import__('os')", "t; 1", "diff(t, t)"])
def test_a_time_course_is_an_expression_in_t_and_nothing_else(course: str) -> None:
    with pytest.raises(ModelError):
        series(stimuli={"stimulus_ex": course}, connectome=disconnected(), duration=5.0)
