"""Which metrics there are, choosing some, and adding one's own."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import ratemlx.plugins
from ratemlx.errors import MetricError, PluginError
from ratemlx.load import load
from ratemlx.metrics import Metric, Output, Recording, check, columns, default_registry, evaluate, metric, select
from ratemlx.metrics.registry import builtin_registry
from tests.metrics.signals import recording

MINE = '''
from ratemlx.metrics import Output, metric

@metric(outputs=[Output("median_FR", "{x}", "Median over time and regions")], needs_ms=100.0, groups=["robust"])
def median_rate(recording):
    """Median firing rate.

    Of all samples of all regions.
    """
    return {"median_FR": recording.xp.median(recording.traces, axis=(1, 2))}
'''

BOTH = (
    MINE
    + """
from ratemlx.transfer import transfer_function

@transfer_function(arguments=["x"], outputs={"F": ""})
def double(let, x):
    let("F", 2 * x)
"""
)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_groups_and_names_and_outputs_select() -> None:
    table = select(["table2"])
    assert {item.name for item in table} <= {item.name for item in select(["all"])}
    assert [item.name for item in select(["mean_PLI", "firing_rate", "max_FR"])] == [
        "mean_phase_lag_index",
        "firing_rate",
    ]
    outputs = {output.name for item in table for output in item.outputs}
    assert {"mean_FC", "var_FCD", "freq_dom", "gamma_rel_power", "ratio_frmean_dmn"} <= outputs
    assert "mean_phFCD" not in outputs


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(MetricError) as caught:
        select(["mean_PLJ"])
    assert str(caught.value).splitlines() == [
        "error: there is no metric 'mean_PLJ'",
        "  hint: did you mean mean_PLI or mean_FR?",
    ]
    assert caught.value.exit_code == 2


def test_columns_are_those_that_evaluation_gives() -> None:
    selected = select(["all"])
    made = {"E": recording(*np.ones((3, 50)), unit="kHz"), "V": recording(*np.ones((3, 50)), unit="mV")}
    listed = columns(selected, {name: item.unit for name, item in made.items()})
    found = evaluate(selected, made)
    assert {item.name for item in listed if not item.regional} == set(found.columns)
    assert {item.name for item in listed if item.regional} == set(found.regional)
    units = {item.name: item.unit for item in listed}
    assert units["mean_FR_E"] == "Hz"
    assert units["mean_FR_V"] == "mV"
    assert units["pmax_amp_V"] == "mV^2"
    assert units["mean_FC_E"] == "1"
    assert units["mean_up_ms_E"] == "ms"
    assert "mean_up_ms_V" not in units
    assert next(item.unit for item in columns(select(["mean_FR"]), ["E"])) == "1"


def test_every_metric_says_what_it_is() -> None:
    for item in builtin_registry().metrics.values():
        assert item.description.endswith("."), item.name
        assert item.definition.endswith((".", ")")), item.name
        assert item.reference, item.name
        for output in item.outputs:
            assert output.description, output.name
            assert output.unit, output.name


def test_a_file_adds_a_metric(mine: Path) -> None:
    (found,) = select(["robust"], [mine])
    assert found.name == "median_rate"
    assert found.description == "Median firing rate."
    assert found.definition == "Of all samples of all regions."
    made = recording(np.arange(200.0), 1000 + np.arange(200.0), np.arange(200.0), unit="kHz")
    assert evaluate([found], {"E": made}).columns["median_FR_E"].tolist() == [149.5 * 1000]
    with pytest.raises(MetricError, match="median_rate \\(100 ms\\)"):
        check([found], 99, 1.0)
    assert "median_rate" in default_registry([mine]).names()
    assert "median_rate" not in default_registry().names()


def test_one_file_may_hold_a_metric_and_a_transfer_function(tmp_path: Path, mine: Path) -> None:
    path = tmp_path / "both.py"
    path.write_text(BOTH, encoding="utf-8")
    assert len(select(["median_FR"], [path])) == 1
    assert load("adex", [path]).name == "adex"
    assert load("adex", [mine]).name == "adex"
    only = tmp_path / "only.py"
    only.write_text(BOTH.replace("@metric", "@(lambda **_: lambda f: None)"), encoding="utf-8")
    assert default_registry([only]) == builtin_registry()


def test_a_file_without_an_extension_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("from ratemlx.metrics import metric\n", encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        default_registry([path])
    assert caught.value.message == f"{path} defines no metric"


def test_installed_packages_add_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    @metric(outputs=["answer"], needs="statistics")
    def deep_thought(recording: Recording) -> dict[str, object]:
        return {"answer": np.full(recording.n_instances, 42.0)}

    module = ModuleType("deep")
    module.deep_thought = deep_thought  # type: ignore[attr-defined]
    loaded = {"one": deep_thought, "module": module, "wrong": 42}
    points = {name: EntryPoint(name, f"package:{name}", "ratemlx.metrics") for name in loaded}
    monkeypatch.setattr(EntryPoint, "load", lambda self: loaded[self.name])

    def install(name: str) -> None:
        monkeypatch.setattr(ratemlx.plugins, "entry_points", lambda group: [points[name]] if "metrics" in group else [])

    for name in ("one", "module"):
        install(name)
        (found,) = select(["answer"])
        assert evaluate([found], {"E": recording(np.ones(9))}).columns["answer_E"].tolist() == [42.0]
    install("wrong")
    with pytest.raises(PluginError, match="neither a Metric nor a module"):
        default_registry()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"median_FR": recording',
            '"medianFR": recording',
            "metric 'median_rate' does not return its output 'median_FR'",
        ),
        (
            "axis=(1, 2)",
            "axis=1",
            "output 'median_FR' of metric 'median_rate' has the shape (1, 200), not (1,)",
        ),
        (
            "recording.xp.median",
            "recording.xp.medium",
            "metric 'median_rate' fails: AttributeError: module 'numpy' has no attribute 'medium'",
        ),
    ],
)
def test_metrics_that_break_their_promise_are_named(mine: Path, old: str, new: str, message: str) -> None:
    mine.write_text(MINE.replace(old, new), encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        evaluate(select(["median_FR"], [mine]), {"E": recording(np.arange(200.0))})
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("median_FR", "mean_FR", "defines 'mean_FR', which exists already as a metric, an output or a group"),
        ("median_FR", "table2", "defines 'table2', which exists already as a metric, an output or a group"),
        ("median_FR", "all", "defines 'all', which exists already as a metric, an output or a group"),
        ("median_FR", 'median"; DROP TABLE', None),
        ("median_FR", "größe", "metric 'median_rate': 'größe' is no name"),
        ('[Output("median_FR", "{x}", "Median over time and regions")]', "[]", "metric 'median_rate' has no output"),
        ("needs_ms=100.0", 'needs="traces"', "metric 'median_rate' needs 'traces'"),
    ],
)
def test_bad_metrics_are_refused_when_loaded(mine: Path, old: str, new: str, message: str | None) -> None:
    mine.write_text(MINE.replace(old, new), encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        default_registry([mine])
    if message is not None:
        assert message in caught.value.message


def test_a_plugin_may_use_a_builtin_metric(tmp_path: Path) -> None:
    path = tmp_path / "uses.py"
    path.write_text("from ratemlx.metrics.rates import firing_rate\n" + MINE, encoding="utf-8")
    assert len(select(["median_FR", "mean_FR"], [path])) == 2


def test_a_regional_output_has_its_own_shape() -> None:
    @metric(outputs=[Output("first", regional=True)], name="first_sample")
    def first(recording: Recording) -> dict[str, object]:
        return {"first": recording.traces[..., 0]}

    assert isinstance(first, Metric)
    found = evaluate([first], {"E": recording(np.arange(3.0), np.arange(3.0) + 5)})
    assert found.regional["first_E"].tolist() == [[0.0, 5.0]]
    assert found.columns == {}
