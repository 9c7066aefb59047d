"""The Python interface over a generated folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ratemlx
from ratemlx.errors import DeviceError, RatemlxError, ResultError
from ratemlx.runtime import Connectome


def test_names_of_the_package() -> None:
    code = (
        "import sys, ratemlx; assert not {'numpy', 'xarray', 'sympy'} & set(sys.modules); "
        "import ratemlx.simulate; assert callable(ratemlx.simulate); print(ratemlx.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.1.0"
    assert {"Connectome", "Result", "errors", "load", "open_result", "simulate"} <= set(dir(ratemlx))
    with pytest.raises(AttributeError, match="module 'ratemlx' has no attribute 'nothing'"):
        _ = ratemlx.nothing


def test_a_call_as_in_the_readme(linear: Path, small: Connectome, capfd: pytest.CaptureFixture[str]) -> None:
    result = ratemlx.simulate(
        linear,
        sweep={"coupling": [0.03, 0.04], "drive": (0.0, 1.0, 4)},
        params={"tau": 5.0},
        connectome=small,
        duration=20.0,
        dt=0.25,
        conduction_speed=[2.0, 3.0],
        observe=["y"],
    )
    assert result.time_series.shape == (16, 1, 20, 5)
    assert result.info.shape == (2, 4, 2)
    assert set(result.status.values) == {"ok"}
    assert result.provenance["set"] == {"tau": 5.0}
    assert capfd.readouterr() == ("", "")


def test_values_outside_a_range_are_warned_about(linear: Path, small: Connectome) -> None:
    with pytest.warns(UserWarning, match="drive = 3 leaves the model's range of 0 to 1"):
        ratemlx.simulate(linear, params={"drive": 3}, connectome=small, duration=1.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": None}, "a model is a name, a path or what ratemlx.load gives; this is None"),
        ({"duration": "20"}, "duration must be a number; it is '20'"),
        ({"threads": "2"}, "threads must be a whole number; it is '2'"),
        ({"batch_size": 2.0}, "batch_size must be a whole number; it is 2.0"),
        ({"normalization": None}, "normalization must be a name; it is None"),
        ({"params": {"drive": "x"}}, "drive: 'x' is not a number"),
        ({"params": {"tau": "x"}}, "tau: 'x' is not a number"),
        ({"params": [1]}, "params must be a mapping from names to values; it is [1]"),
        ({"sweep": ["drive"]}, "sweep must be a mapping from names to values; it is ['drive']"),
        ({"stimuli": 3}, "stimuli must be a mapping from names to values; it is 3"),
        ({"observe": [1]}, "observe must be names of exposures; it is (1,)"),
        ({"output": 3}, "the folder for results must be a path; it is 3"),
        ({"params": {"drive": 1e300}}, "drive = 1e+300 does not fit float32"),
        ({"sweep": {"drive": [-1e300, 0]}}, "drive = -1e+300 does not fit float32"),
        ({"initial": {"x": 1e39}}, "the start of x = 1e+39 does not fit float32"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(
    linear: Path, small: Connectome, given: dict[str, object], message: str
) -> None:
    with pytest.raises(RatemlxError) as caught:
        ratemlx.simulate(**{"model": linear, "connectome": small, "duration": 1.0, **given})
    assert caught.value.message == message


def test_an_empty_folder_for_results_is_refused(linear: Path, small: Connectome) -> None:
    with pytest.raises(ResultError, match="the folder for results has no name"):
        ratemlx.simulate(linear, connectome=small, duration=1.0, output="")


def test_an_unknown_device_is_told_before_anything_is_generated() -> None:
    with pytest.raises(DeviceError, match="there is no device 'gpu'"):
        ratemlx.simulate("adex", target="gpu")


def test_a_shipped_model_is_generated_into_the_cache(small: Connectome, cache: Path) -> None:
    shared = {"connectome": small, "duration": 5.0, "noise": False, "precision": "float64"}
    first = ratemlx.simulate("montbrio", **shared)
    again = ratemlx.simulate(ratemlx.load("montbrio"), **shared)
    assert first.time_series.values.tobytes() == again.time_series.values.tobytes()
    assert np.isfinite(first.time_series.values).all()
    folders = list((cache / "generated").glob("montbrio-*"))
    assert [sorted(path.name for path in folder.iterdir()) for folder in folders] == [
        ["driver.py", "manifest.json", "montbrio.cpp"]
    ]
