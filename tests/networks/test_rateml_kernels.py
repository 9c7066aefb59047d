"""RateML's own CUDA kernels, compiled for the host, beside ours generated from RateML's own XML.

Noise is off, histories are equal, four points of a sweep are run. RateML computes in float32. What rounding may do in
these dynamics shows in our own kernel, in float32 and in float64; RateML's may be off by ten times that. Where kernel
and XML have drifted apart, one of them is changed, and CASES says why. Beyond that, in every kernel: starts are drawn
at random by the driver, here they are given; `rec_n = 1 / n_node` is 0 by integer division (but in kuramoto), and used
by none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.abi import Precision
from ratemlx.runtime import Connectome, RunSpec, load_connectome, run
from ratemlx.simulate import generated_folder
from tests.support.rateml_kernel import Floats, RatemlKernel
from tests.support.shipped import simulated

DT = 0.1
SPEEDS = (2.0, 4.0)
SECOND_COUPLING = """
    <ComponentType name="coupling_function_1">
        <Parameter name="V_j" dimension='1'/>
        <DerivedParameter name="c_pop1" value="global_coupling"/>
        <Dynamics><DerivedVariable name="pre" value="V_j"/><DerivedVariable name="post" value="1"/></Dynamics>
    </ComponentType>
   <ComponentType name="noise"/>"""


@dataclass(frozen=True)
class Case:
    """How a kernel and its XML are made comparable, and where they are compared."""

    start: Mapping[str, tuple[float, float]]
    couplings: tuple[float, float]
    samples: int = 50
    kernel: Mapping[str, str] = field(default_factory=dict)
    xml: Mapping[str, str] = field(default_factory=dict)


CASES = {
    # The XML lacks the coupling through V that the kernel has, and with it cv; it fixes the speed that the kernel
    # sweeps.
    "montbrio": Case(
        {"r": (0.1, 1.0), "V": (-2.0, 1.0)},
        (0.2, 0.4),
        xml={
            "cr * c_pop0)": "cr * c_pop0 + cv * c_pop1)",
            '   <ComponentType name="noise"/>': SECOND_COUPLING,
            '<Parameter name="global_coupling"': '<Parameter name="global_speed" dimension="1, 4"/>'
            '<Parameter name="global_coupling"',
            "1.0f / 1.0 / dt": "1.0f / global_speed / dt",
        },
        samples=20,
    ),
    # Both clip the phase at 1: from there on nothing moves.
    "kuramoto": Case({"V": (-2.0, -1.0)}, (0.1, 0.5)),
    "oscillator": Case({"V": (-1.0, 3.0), "W": (-4.0, 4.0)}, (0.05, 0.2)),
    # Both forget the factor x1 of the nullcline, without which x1 runs away within milliseconds. Kvf, Kf and Ks are
    # zero in both, which leaves regions uncoupled, and c_pop1 is zero because nothing is summed.
    "epileptor": Case(
        {
            "x1": (-1.9, -1.4),
            "y1": (-16.0, -9.0),
            "z": (3.4, 4.0),
            "x2": (-2.0, 0.0),
            "y2": (0.0, 2.0),
            "g": (-1.0, 1.0),
        },
        (1.6, 3.0),
        kernel={
            "c_pop0 + ydot0 ));": "c_pop0 + ydot0 * x1));",
            "const float Kvf = 0.0;": "const float Kvf = 0.5;",
            "const float Ks = 0.0;": "const float Ks = 1.0;",
        },
        xml={
            "c_pop0 + ydot0 )": "c_pop0 + ydot0 * x1)",
            'name="Kvf" dimension="lo=0.0, hi=4.0, step=0.5" value="0.0"': 'name="Kvf" value="0.5"',
            'name="Ks" dimension="lo=-4.0, hi=4.0, step=0.1" value="0.0"': 'name="Ks" value="1.0"',
        },
        samples=10,
    ),
    "rwongwang": Case({"V": (0.0, 1.0), "W": (0.0, 1.0)}, (0.05, 0.3)),
}


@pytest.fixture(scope="module")
def connectome() -> Connectome:
    return load_connectome("tvb:68").normalized("out-strength")


@pytest.fixture(scope="module")
def kernels(rateml_models: Path) -> Path:
    """Folder of RateML's generated kernels."""
    return rateml_models.parent / "generatedModels"


def starts(case: Case, n_regions: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(3)
    return {name: generator.uniform(*limits, n_regions).astype(np.float32) for name, limits in case.start.items()}


def our_folder(xml: Path, changes: Mapping[str, str], folder: Path) -> Path:
    text = xml.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / xml.name).write_text(text, encoding="utf-8")
    return generated_folder(folder / xml.name)


@pytest.mark.parametrize("name", CASES)
def test_equal_trajectories(
    name: str, rateml_models: Path, kernels: Path, connectome: Connectome, tmp_path: Path
) -> None:
    case = CASES[name]
    folder = our_folder(rateml_models / f"{name}.xml", case.xml, tmp_path)
    start = starts(case, connectome.n_regions)
    single, double = (our_means(folder, case, connectome, start, precision) for precision in ("float32", "float64"))
    theirs = their_means(RatemlKernel(kernels / f"{name}.c", tmp_path, case.kernel), case, connectome, start)
    theirs = theirs[:, : double.shape[1]]
    assert theirs.shape == double.shape == (4, double.shape[1], case.samples, connectome.n_regions)
    extent = np.ptp(double, axis=(0, 2, 3))
    rounding = np.abs(single - double).max(axis=(0, 2, 3))
    assert (extent > 0.1).all()
    assert (rounding <= 3e-4 * extent).all()
    assert (np.abs(theirs - double).max(axis=(0, 2, 3)) <= 10 * rounding + 1e-6 * extent).all()
    for one, other in ((0, 1), (0, 2)):
        assert np.abs(theirs[one] - theirs[other]).max() > 30 * rounding.max(), "coupling and delays matter"


def our_means(
    folder: Path, case: Case, connectome: Connectome, start: Mapping[str, Floats], precision: Precision
) -> NDArray[np.float64]:
    """Means over each ms, (instance, exposure, sample, region)."""
    result = run(
        RunSpec(
            folder=folder,
            connectome=connectome,
            normalization="none",
            sweep={"conduction_speed": list(SPEEDS), "global_coupling": list(case.couplings)},
            initial=start,
            duration=float(case.samples),
            dt=DT,
            period=10 * DT,
            noise=False,
            precision=precision,
            threads=1,
        )
    )
    values: NDArray[np.float64] = result.time_series.values.astype(np.float64)
    return values


def their_means(kernel: RatemlKernel, case: Case, connectome: Connectome, start: Mapping[str, Floats]) -> Floats:
    speeds, couplings = np.meshgrid(SPEEDS, case.couplings, indexing="ij")
    return kernel.run(
        connectome.weights.astype(np.float32),
        connectome.tract_lengths.astype(np.float32),
        np.stack([speeds.ravel(), couplings.ravel()]).astype(np.float32),
        np.stack(list(start.values())),
        case.samples,
        DT,
    )


def test_epileptor_runs_away_as_it_is(
    rateml_models: Path, kernels: Path, connectome: Connectome, tmp_path: Path
) -> None:
    """The missing factor x1 is in the XML and in the kernel; ours says that the instances diverge."""
    case = replace(CASES["epileptor"], samples=5)
    start = starts(case, connectome.n_regions)
    theirs = their_means(RatemlKernel(kernels / "epileptor.c", tmp_path, {}), case, connectome, start)
    assert not np.isfinite(theirs).all()
    ours = our_means(our_folder(rateml_models / "epileptor.xml", {}, tmp_path), case, connectome, start, "float32")
    assert not np.isfinite(ours).all()


def one_region(size: int, value: float, rows: int = 3) -> dict[str, Floats]:
    """Arrays of a network of one region without tracts, all of `size` instances in the state `value`."""
    nothing = np.zeros((1, 1), np.float32)
    state = np.full((rows, 1, 1, size), value, np.float32)
    return {"weights": nothing, "lengths": nothing, "params": np.ones((2, size), np.float32), "state": state}


def test_the_first_launch_forgets_the_start(kernels: Path, tmp_path: Path) -> None:
    """A launch at step 0 sets the first variable to zero, whatever start it was given."""
    kernel = RatemlKernel(kernels / "kuramoto.c", tmp_path, {})
    at_zero, later = one_region(4, -1.5), one_region(4, -1.5)
    kernel.launch(**at_zero, first_step=0, n_steps=1, dt=DT)
    kernel.launch(**later, first_step=3, n_steps=1, dt=DT)
    step = DT * 2 * np.pi * 60 / 1000
    np.testing.assert_allclose(at_zero["state"][1], step, rtol=1e-5)
    np.testing.assert_allclose(later["state"][1], -1.5 + step, rtol=1e-5)


def test_a_ring_needs_two_rows_more_than_the_longest_delay(kernels: Path, tmp_path: Path) -> None:
    """Regions are stepped one after the other into one ring: of delay + 1 rows, the oldest is being overwritten.

    RateML's driver is safe by rounding the number of rows up to a power of two.
    """
    kernel = RatemlKernel(kernels / "kuramoto.c", tmp_path, {})

    def moved(rows: int) -> float:
        arrays = one_region(1, -1.5) | {
            "state": np.tile(np.array([-1.5, -1.0], np.float32)[None, None, :, None], (rows, 1, 1, 1)),
            "weights": np.array([[0, 0], [1, 0]], np.float32),
            "lengths": np.full((2, 2), 0.4, np.float32),
        }
        kernel.launch(**arrays, first_step=rows, n_steps=1, dt=DT)
        return float(arrays["state"][1, 0, 1, 0])

    wanted = -1.0 + DT * (2 * np.pi * 60 / 1000 + np.sin(-0.5))
    assert abs(moved(6) - wanted) < 1e-6
    assert abs(moved(5) - wanted) > 1e-3


def test_thread_ids_of_a_grid_reach_a_quarter_of_the_instances(kernels: Path, tmp_path: Path) -> None:
    """RateML's id leaves the block out: on a grid of 2 x 2 blocks of 8 x 8 threads, 64 of 256 instances are run."""
    kernel = RatemlKernel(kernels / "kuramoto.c", tmp_path, {})
    arrays = one_region(256, -1.5)
    kernel.launch(**arrays, first_step=3, n_steps=1, dt=DT, grid=(2, 2, 8, 8))
    done = np.flatnonzero(arrays["state"][1, 0, 0] != np.float32(-1.5))
    assert len(done) == 64
    assert done.tolist() == [16 * y + x for y in range(8) for x in range(8)]


@pytest.mark.parametrize("device", ["cpu", "cuda-emulation"])
def test_ours_runs_every_instance(device: str) -> None:
    found = simulated("kuramoto", device, sweep={"global_coupling": (0.0, 1.0, 256)}, duration=1.0, noise=False)
    assert found.shape[0] == 256
    assert len(np.unique(found[:, 0, 0, 0])) == 256
