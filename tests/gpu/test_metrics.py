"""Metrics on a GPU: of arrays of CuPy, and of a whole run, against the host's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ratemlx.metrics import evaluate
from ratemlx.observables.settings import BoldSettings
from ratemlx.runtime import run
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.limits import analyses_on_device
from ratemlx.runtime.outputs import Outputs
from ratemlx.runtime.spec import prepare
from tests.gpu.runs import duration, spec
from tests.metrics import test_namespace as made_up

pytestmark = pytest.mark.gpu
SWEEP = {"eta": [-6.0, -5.0, -4.6]}


def test_cupy_gives_what_numpy_gives(gpu_device: str) -> None:  # noqa: ARG001
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed on this machine")
    expected = evaluate(made_up.ALL, {"E": made_up._recording(made_up._series())}, chunk=2)
    found = evaluate(made_up.ALL, {"E": made_up._recording(cupy.asarray(made_up._series()))}, chunk=2)
    for name, values in {**expected.columns, **expected.regional}.items():
        np.testing.assert_allclose({**found.columns, **found.regional}[name], values, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("metrics", ["mean_FC,mean_FR", "table2"])
def test_a_run_has_the_metrics_of_the_cpu(metrics: str, gpu_device: str) -> None:
    """Streamed, and of series, which lie on the GPU where CuPy is installed."""
    length = 5000.0 if metrics == "table2" else 500.0
    outputs = Outputs(metrics=tuple(metrics.split(",")), bold=BoldSettings(TR=100.0), keep="none")
    settings: dict[str, Any] = {
        "sweep": SWEEP,
        "duration": length,
        "precision": "float64",
        "noise": False,
        "outputs": outputs,
    }
    if duration(length) < length:
        settings["duration"], settings["outputs"] = 60.0, Outputs(metrics=("mean_FC", "mean_FR"), keep="none")
    found, expected = run(spec("montbrio", gpu_device, **settings)), run(spec("montbrio", "cpu", **settings))
    assert found is not None
    assert expected is not None
    assert set(found.metrics.data_vars) == set(expected.metrics.data_vars)
    for name, values in expected.metrics.data_vars.items():
        np.testing.assert_allclose(found.metrics[name].values, values.values, rtol=1e-5, atol=1e-8, err_msg=str(name))


def test_with_cupy_metrics_are_computed_where_the_series_are(gpu_device: str) -> None:
    pytest.importorskip("cupy", reason="CuPy is not installed on this machine")
    device = open_device(gpu_device)
    job = prepare(spec("montbrio", gpu_device, duration=10.0, outputs=Outputs(metrics=("mean_FC",))))
    assert analyses_on_device(job, device)
    device.close()
