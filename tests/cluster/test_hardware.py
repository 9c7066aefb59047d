from __future__ import annotations

import pytest

from ratemlx.cluster.hardware import clusters, find_cluster, find_gpu, gpus, match_gpu
from ratemlx.cluster.roofline import Network, counted_operations, counted_roofline, node_step_bytes, roofline
from ratemlx.errors import DeviceError
from ratemlx.runtime.spec import prepare
from tests.support.shipped import shipped


@pytest.mark.parametrize("key", gpus())
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_multiprocessors_lanes_and_clock_give_the_published_peak(key: str, precision: str) -> None:
    gpu = gpus()[key]
    assert gpu.peak(precision) == pytest.approx(gpu.published[precision], rel=0.02)  # type: ignore[arg-type]
    assert gpu.source


def test_the_promised_hardware_is_there() -> None:
    assert list(gpus()) == ["A100-40", "A100-80", "H100", "H200", "L4", "RTX-4090"]
    juwels = clusters()["juwels-booster"]
    assert (juwels.nodes, juwels.gpus_per_node, juwels.ranks, juwels.gpu.key) == (936, 4, 3744, "A100-40")


@pytest.mark.parametrize("name", ["RTX 4090", "rtx_4090", "RTX-4090"])
def test_spelling_of_names(name: str) -> None:
    assert find_gpu(name).key == "RTX-4090"


def test_unknown_hardware_is_told_with_a_hint() -> None:
    with pytest.raises(DeviceError, match="no GPU 'H20O'") as raised:
        find_gpu("H20O")
    assert "H200" in str(raised.value.hint)
    with pytest.raises(DeviceError, match="no cluster 'juwels'") as raised:
        find_cluster("juwels")
    assert "juwels-booster" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("reported", "key"),
    [
        ("NVIDIA H200", "H200"),
        ("NVIDIA H200, 139.8 GiB (PyCUDA 2026.1)", "H200"),
        ("NVIDIA A100-SXM4-40GB, 39.4 GiB (cuda-bindings 13.0)", "A100-40"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-40GB", "A100-40"),
        ("NVIDIA A100-SXM4-80GB", "A100-80"),
        ("NVIDIA GeForce RTX 4090", "RTX-4090"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA L40S", None),
        ("Tesla V100-SXM2-16GB", None),
    ],
)
def test_names_that_drivers_report(reported: str, key: str | None) -> None:
    found = match_gpu(reported)
    assert (found.key if found else None) == key


BRAIN = Network(n_regions=68, n_edges=1244, n_observed=2, block=16, steps_per_sample=10)


def test_cost_of_a_node_step_of_adex() -> None:
    manifest = prepare(shipped("adex", "cuda-emulation")).manifest
    edges = 1244 / 68
    assert counted_operations(manifest, BRAIN) == pytest.approx(manifest.operations_per_step + 2 * edges + 40)
    states, parameters = len(manifest.state_variables), len(manifest.parameters)
    numbers = edges + 1 + (2 * states + 2 * 2 + parameters) / 16 + 2 / 10
    assert node_step_bytes(manifest, BRAIN) == pytest.approx(4 * numbers)
    assert 73 < node_step_bytes(manifest, BRAIN) < 90


def test_the_lower_roof_counts() -> None:
    gpu = find_gpu("H200")
    busy = roofline(gpu, "float32", operations=1400, bytes=80)
    assert busy.bound == "arithmetic"
    assert busy.attainable == pytest.approx(132 * 128 * 1.98e9 * 2 / 1400)
    light = roofline(gpu, "float32", operations=50, bytes=80)
    assert light.bound == "memory"
    assert light.attainable == pytest.approx(4.8e12 / 80)
    assert light.share(3e10) == pytest.approx(0.5)


def test_what_is_not_fused_needs_a_clock_each() -> None:
    manifest = prepare(shipped("adex", "cuda-emulation")).manifest
    counted = counted_roofline(find_gpu("H200"), manifest, BRAIN)
    assert counted.by_arithmetic == pytest.approx(132 * 128 * 1.98e9 / counted.operations)
