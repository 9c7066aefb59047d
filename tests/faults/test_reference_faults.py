"""Faults that earlier systems for these sweeps are known to have. Each test fails on the faulty behaviour.

Second derivatives by differences in float32 have theirs in tests/kernels/test_transfer_functions.py.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.errors import ConnectomeError
from ratemlx.runtime import Connectome, RunSpec, load_connectome, run
from ratemlx.simulate import generated_folder
from tests.support.reference_network import CouplingTerm, ReferenceNetwork
from tests.support.shipped import GENERATED, TARGETS, series_of, shipped, simulated

ALONE = Connectome(np.zeros((30, 30)), np.zeros((30, 30)))


@pytest.mark.parametrize("target", TARGETS)
def test_every_instance_is_computed(target: str) -> None:
    """RateML's kernel numbers threads without their block: 64 of 256 instances were computed on a 2 x 2 grid."""
    etas = np.linspace(-9.0, -4.0, 257)
    chosen = {"duration": 2.0, "noise": False, "connectome": ALONE, "observe": ("V",)}
    many = simulated("montbrio", target, sweep={"eta": etas.tolist()}, **chosen)[:, 0]
    assert len({series.tobytes() for series in many}) == 257
    for index in (0, 63, 64, 65, 255, 256):
        single = simulated("montbrio", target, params={"eta": etas[index]}, **chosen)[0, 0]
        assert single.tobytes() == many[index].tobytes()


@pytest.mark.parametrize("batch_size", [1, 10, 64, 65, 66])
def test_instances_need_not_divide_evenly(batch_size: int) -> None:
    """The reference driver drops what does not divide among its ranks; here any remainder of batches is run."""
    sweep = {"eta": np.linspace(-9.0, -4.0, 65).tolist()}
    chosen = {"sweep": sweep, "duration": 1.0, "connectome": ALONE, "threads": 2}
    found = simulated("montbrio", batch_size=batch_size, **chosen)
    assert found.shape[0] == 65
    assert found.tobytes() == simulated("montbrio", **chosen).tobytes()


@pytest.mark.parametrize("target", TARGETS)
def test_states_do_not_overlap(target: str, tmp_path: Path) -> None:
    """The reference kernel strides by six states and uses seven: the noise of one region was the rate of the next."""
    names = [f"s{index}" for index in range(9)]
    file = tmp_path / "strides.xml"
    file.write_text(
        '<Lems name="strides"><ComponentType name="derivatives"><Parameter name="p" range="0, 1" default="0.5"/>'
        + "".join(f'<Exposure name="{name}" value="{name}"/>' for name in names)
        + "<Dynamics>"
        + "".join(f'<StateVariable name="{name}" initial="0"/>' for name in names)
        + "".join(f'<TimeDerivative variable="{name}" value="0 * p"/>' for name in names)
        + '</Dynamics></ComponentType><ComponentType name="noise">'
        + '<Noise variable="s8" type="additive" sigma="1000"/></ComponentType></Lems>',
        encoding="utf-8",
    )
    initial = {name: 100.0 * index + np.arange(30) for index, name in enumerate(names)}
    result = run(
        RunSpec(
            folder=generated_folder(file, target),
            device=target,
            connectome=ALONE,
            sweep={"p": np.linspace(0, 1, 35).tolist()},
            initial=initial,
            duration=5.0,
            threads=1,
        )
    )
    series = series_of(result)
    for index, name in enumerate(names[:-1]):
        wanted = np.broadcast_to(initial[name].astype(np.float32), (35, 5, 30))
        np.testing.assert_array_equal(series[:, index], wanted)
    assert np.abs(series[:, 8] - initial["s8"]).min(axis=(1, 2)).max() > 0
    assert series[:, 8].std() > 500


def delayed_phases(connectome: Connectome, steps: NDArray[np.integer], duration: float) -> NDArray[np.float64]:
    network = ReferenceNetwork(
        connectome.weights,
        steps,
        0.1,
        {"theta": np.linspace(0.0, 2.0, connectome.n_regions)},
        [CouplingTerm("c", "theta", lambda delayed, here: np.sin(delayed - here["theta"]), 0.8)],
        lambda _, coupling: {"theta": 0.02 + coupling["c"]},
        {"theta": lambda states: states["theta"]},
    )
    return network.run(round(duration), 10)["theta"]


@pytest.mark.parametrize("target", TARGETS)
def test_slow_speeds_have_histories_long_enough(target: str) -> None:
    """The reference sizes its ring by a flag: at 1 m/s, 386 of 1,244 edges wrapped around and read the future."""
    lengths = np.array([[5.0, 250.0, 90.0], [170.0, 8.0, 252.9], [30.0, 210.0, 6.0]])
    weights = np.array([[0.1, 0.6, 0.3], [0.5, 0.0, 0.5], [0.7, 0.2, 0.1]])
    connectome = Connectome(weights, lengths)
    found = simulated(
        "kuramoto",
        target,
        connectome=connectome,
        normalization="none",
        params={"global_coupling": 0.8, "omega": 0.02},
        sweep={"conduction_speed": [3.0, 1.0, 7.0]},
        initial={"theta": np.linspace(0.0, 2.0, 3)},
        observe=("theta",),
        duration=320.0,
        dt=0.1,
        noise=False,
        precision="float64",
    )[:, 0]
    for speed, series in zip((3.0, 1.0), found, strict=False):
        steps = np.floor(lengths / speed / 0.1 + 0.5).astype(int)
        np.testing.assert_allclose(series, delayed_phases(connectome, steps, 320.0), atol=1e-12)
    # What a ring for 3 m/s would give at 1 m/s is far away.
    longest = int(lengths.max() / 3.0 / 0.1) + 1
    wrapped = delayed_phases(connectome, np.floor(lengths / 0.1 + 0.5).astype(int) % longest, 320.0)
    assert np.abs(found[1] - wrapped).max() > 0.05


def test_noise_is_seeded_by_the_seed_and_not_by_the_clock() -> None:
    """Another process at another time gives the same bytes."""
    chosen = {"duration": 3.0, "seed": 77, "connectome": "tvb:68"}
    here = hashlib.sha256(simulated("kuramoto", **chosen).tobytes()).hexdigest()
    program = (
        "import hashlib; from tests.support.shipped import simulated;"
        f"print(hashlib.sha256(simulated('kuramoto', **{chosen!r}).tobytes()).hexdigest())"
    )
    folder = GENERATED.parent
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_noise_scales_with_the_root_of_dt() -> None:
    """Without sqrt(dt) the variance would change a hundredfold between these steps."""
    for dt in (0.01, 1.0):
        found = simulated(
            "kuramoto",
            connectome=ALONE,
            sweep={"global_coupling": [float(index) / 40 for index in range(40)]},
            params={"sigma": 0.1},
            initial={"theta": 0.0},
            observe=("theta",),
            duration=16.0,
            dt=dt,
            period=1.0 if dt == 1.0 else 0.01,
        )[:, 0].astype(np.float64)
        spread = found[:, -1].var()
        # 1,200 values: five standard errors of a variance are a fifth of it.
        assert spread == pytest.approx(0.01 * 16.0, rel=5 * np.sqrt(2 / 1200))


def test_times_are_in_milliseconds() -> None:
    """A step given in ms and used in s, or the other way round, would turn the phase a thousand times."""
    for dt in (0.1, 0.5):
        result = run(
            shipped(
                "kuramoto",
                connectome=ALONE,
                initial={"theta": 0.0},
                noise=False,
                duration=100.0,
                dt=dt,
                period=10.0,
                precision="float64",
                observe=("theta",),
            )
        )
        series = series_of(result)[0, 0, :, 0]
        # A sample stands at the middle of its period; its steps' states, the first of them after dt, half a step later.
        times = np.arange(5.0, 100.0, 10.0)
        np.testing.assert_allclose(series, 0.06 * 2 * np.pi * (times + dt / 2), rtol=1e-12)
        np.testing.assert_allclose(result.time_series.time.values, times)
        assert result.time_series.time.attrs["units"] == "ms"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep", "nothing=0:1:3"], "nothing"),
        (["-n", "-5"], "-5"),
        (["--connectome", "tvb:67"], "67"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_errors_end_with_status_2(arguments: list[str], message: str) -> None:
    """The reference driver calls exit() after an error, which tells a batch system that all is well."""
    driver = GENERATED / "montbrio" / "cpp" / "driver.py"
    done = subprocess.run([sys.executable, str(driver), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


class Payload:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("kind", ["npz", "npy", "pkl"])
def test_pickled_inputs_are_refused(kind: str, tmp_path: Path) -> None:
    """The reference loads its parameters and connectomes with pickle, which runs what the file says."""
    trap = tmp_path / "trap"
    array = np.empty((2, 2), dtype=object)
    array[:] = Payload(trap)
    file = tmp_path / f"connectome.{kind}"
    if kind == "npz":
        np.savez(file, weights=array, tract_lengths=array)
    elif kind == "npy":
        np.save(file, array, allow_pickle=True)
    else:
        file.write_bytes(pickle.dumps(Payload(trap)))
    with pytest.raises(ConnectomeError):
        load_connectome(file)
    assert not trap.exists()
    pickle.load(io.BytesIO(pickle.dumps(Payload(trap))))  # what the trap does when it is sprung
    assert trap.exists()
