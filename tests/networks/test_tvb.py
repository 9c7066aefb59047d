"""Networks against tvb-library itself, started from equal states and histories, differing from region to region."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ratemlx.abi import Manifest
from ratemlx.bench.tvb import history_in_float64
from ratemlx.runtime import Connectome, load_connectome
from tests.support.shipped import GENERATED, simulated
from tests.support.tvb_network import tvb_series

Record = Callable[[str, float], None]
pytestmark = [pytest.mark.tvb, pytest.mark.filterwarnings("ignore")]

DT, SPEED = 0.1, 3.0
CONSTANTS = (
    "g_L C_m b_i a_i tau_w_i E_L_e E_L_i E_e E_i Q_e Q_i tau_e tau_i N_tot p_connect_e p_connect_i g K_ext_e K_ext_i T"
)
POINT = {
    "global_coupling": 0.4,
    "b_e": 30.0,
    "a_e": 4.0,
    "tau_w_e": 400.0,
    "external_input_ex_ex": 0.4e-3,
    "external_input_ex_in": 0.05e-3,
    "external_input_in_ex": 0.45e-3,
    "external_input_in_in": 0.1e-3,
    "weight_noise": 1e-4,
}

DRIVEN = POINT | {"external_input_ex_in": 0.0, "external_input_in_in": 0.0, "external_input_ex_ex": 0.5e-3, "a_e": 0.0}


@pytest.fixture(scope="module")
def connectome() -> Connectome:
    """Weights divided by their column sums."""
    return load_connectome("tvb:68").normalized("out-strength")


def ours(
    model: str, connectome: Connectome, duration: float, observe: tuple[str, ...], **settings: Any
) -> NDArray[Any]:
    return simulated(
        model,
        connectome=connectome,
        normalization="none",
        precision="float64",
        noise=False,
        conduction_speed=SPEED,
        dt=DT,
        duration=duration,
        observe=observe,
        **settings,
    )[0]


HELD = 1e12
"""A correlation time, ms, with which the noise variable stays where it starts."""


def spread_start(ou: float) -> dict[str, NDArray[np.float64]]:
    """States that differ from region to region, so that an exchanged index would show."""
    generator = np.random.default_rng(7)
    high = {"E": 0.02, "I": 0.03, "C_ee": 1e-6, "C_ei": 1e-6, "C_ii": 1e-6, "W_e": 60.0, "W_i": 5.0}
    return {name: generator.uniform(0, value, 68) for name, value in high.items()} | {"ou": np.full(68, ou)}


def even_start() -> dict[str, NDArray[np.float64]]:
    """At rest: activity sets in by itself, as in a user's run."""
    return {name: np.zeros(68) for name in ("E", "I", "C_ee", "C_ei", "C_ii", "W_e", "W_i", "ou")}


def tvb_adex(model: str, point: dict[str, float]) -> Any:
    """tvb-library's class with our model's constants and the parameters of a point; its noise variable stays put."""
    from tvb.simulator.models import zerlaut

    kind = {"adex": "ZerlautAdaptationSecondOrder", "adex_first_order": "ZerlautAdaptationFirstOrder"}[model]
    manifest = Manifest.load(GENERATED / model / "cpp")
    values = {item.name: item.value for item in manifest.constants}
    counts = ("N_tot", "K_ext_e", "K_ext_i")
    given = {name: np.array([int(values[name]) if name in counts else values[name]]) for name in CONSTANTS.split()}
    given |= {name: np.array([value]) for name, value in point.items() if name != "global_coupling"}
    given |= {name: np.array([values[f"{name}[{i}]"] for i in range(10)]) for name in ("P_e", "P_i")}
    given["tau_OU"] = np.array([HELD])
    return getattr(zerlaut, kind)(**given, variables_of_interest=("E", "I", "W_e"))


def adex_errors(
    model: str,
    point: dict[str, float],
    start: dict[str, NDArray[np.float64]],
    duration: float,
    connectome: Connectome,
    integrator: str = "euler",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences of (E, I, W_e) and tvb-library's values, each (variable, ms, region)."""
    from tvb.simulator.coupling import Linear

    known = {item.name for item in Manifest.load(GENERATED / model / "cpp").state_variables}
    given = {name: values for name, values in start.items() if name in known}
    held = {**point, "tau_OU": HELD}
    found = ours(
        model, connectome, duration, ("E", "I", "W_e"), params=held, initial=given, period=1.0, integrator=integrator
    )
    wanted = tvb_series(
        tvb_adex(model, point),
        Linear(a=np.array([point["global_coupling"]]), b=np.array([0.0])),
        connectome,
        start | {"ou_drift": start["ou"]},
        speed=SPEED,
        dt=DT,
        duration=duration,
        period=1.0,
        integrator=integrator,
    )
    assert wanted.shape == found.shape
    return np.abs(found - wanted), wanted


@pytest.mark.parametrize("model", ["adex", "adex_first_order"])
def test_adex_and_tvb_as_it_is(model: str, connectome: Connectome, record: Record) -> None:
    """tvb-library keeps history and weights in float32: in a transient it is further from itself in float64 than we."""
    errors, single = adex_errors(model, DRIVEN, even_start(), 150.0, connectome)
    with history_in_float64():
        near, double = adex_errors(model, DRIVEN, even_start(), 150.0, connectome)
    assert double[0].max() > 0.1
    record("kHz, its history in float32", errors[:2].max())
    record("kHz, its history in float64", near[:2].max())
    assert errors[:2].max() <= 2e-7
    assert near[:2].max() <= 5e-9
    np.testing.assert_allclose(np.abs(single - double)[:2].max(), errors[:2].max(), rtol=1e-2)


@pytest.mark.parametrize("ou", [0.0, -30.0], ids=["drive", "negative-input"])
@pytest.mark.parametrize(("model", "bound"), [("adex", 1e-9), ("adex_first_order", 1e-11)])
def test_adex_equals_tvb_in_float64(
    model: str, bound: float, ou: float, connectome: Connectome, record: Record
) -> None:
    """A negative noise variable drives the input below zero, where the two classes clip at different places.

    tvb-library takes derivatives of the transfer function by differences, which limits the second order.
    """
    with history_in_float64():
        errors, wanted = adex_errors(model, POINT, spread_start(ou), 60.0 if ou else 200.0, connectome)
    assert np.ptp(wanted[0]) > 0.01
    record("kHz", errors[:2].max())
    assert errors[:2].max() <= bound
    assert errors[2].max() <= 1e3 * bound


@pytest.mark.parametrize("integrator", ["heun", "rk4"])
def test_integrators_equal_those_of_tvb(integrator: str, connectome: Connectome, record: Record) -> None:
    """Its Heun and Runge-Kutta hold the coupling over the step, too."""
    with history_in_float64():
        errors, wanted = adex_errors("adex_first_order", POINT, spread_start(0.0), 100.0, connectome, integrator)
        _, euler = adex_errors("adex_first_order", POINT, spread_start(0.0), 100.0, connectome)
    record("kHz", errors[:2].max())
    assert errors[:2].max() <= 1e-11
    assert np.abs(wanted - euler)[0].max() > 1e-5


@pytest.mark.parametrize(
    ("precise", "bound"), [(False, 5e-6), (True, 1e-12)], ids=["float32-history", "float64-history"]
)
def test_montbrio(precise: bool, bound: float, connectome: Connectome, record: Record) -> None:
    """Relative to the range of each state."""
    from tvb.simulator.coupling import Linear
    from tvb.simulator.models.infinite_theta import MontbrioPazoRoxin

    generator = np.random.default_rng(5)
    start = {"r": generator.uniform(0, 1.5, 68), "V": generator.uniform(-2, 1, 68)}
    point = {"eta": -4.6, "J": 14.5}
    found = ours(
        "montbrio",
        connectome,
        100.0,
        ("r", "V"),
        params=point | {"global_coupling": 0.7},
        initial=start,
        period=0.5,
    )
    model = MontbrioPazoRoxin(
        **{name: np.array([value]) for name, value in point.items()}, variables_of_interest=("r", "V")
    )
    with history_in_float64() if precise else nullcontext():
        wanted = tvb_series(
            model,
            Linear(a=np.array([0.7]), b=np.array([0.0])),
            connectome,
            start,
            speed=SPEED,
            dt=DT,
            duration=100.0,
            period=0.5,
        )
    for index in range(2):
        error = np.abs(found[index] - wanted[index]).max() / np.ptp(wanted[index])
        record(f"of the range of {'rV'[index]}", error)
        assert error <= bound


def test_slow_conduction_on_the_whole_connectome(connectome: Connectome, record: Record) -> None:
    """At 1 mm/ms, tracts of up to 253 ms: all 1,244 edges keep their delays."""
    from tvb.simulator.coupling import Linear
    from tvb.simulator.models.infinite_theta import MontbrioPazoRoxin

    generator = np.random.default_rng(8)
    start = {"r": generator.uniform(0, 0.6, 68), "V": generator.uniform(-2.5, -1, 68)}
    found = simulated(
        "montbrio",
        connectome=connectome,
        normalization="none",
        precision="float64",
        noise=False,
        params={"global_coupling": 0.7, "eta": -7.0},
        sweep={"conduction_speed": [7.0, 1.0]},
        initial=start,
        dt=DT,
        duration=300.0,
    )
    with history_in_float64():
        wanted = tvb_series(
            MontbrioPazoRoxin(eta=np.array([-7.0]), variables_of_interest=("r", "V")),
            Linear(a=np.array([0.7]), b=np.array([0.0])),
            connectome,
            start,
            speed=1.0,
            dt=DT,
            duration=300.0,
            period=1.0,
        )
    record("of a state", np.abs(found[1] - wanted).max())
    assert np.abs(found[1] - wanted).max() <= 1e-10
    late = slice(100, 250)
    assert np.abs(found[0] - wanted)[:, late].max() > 1e-7


@pytest.mark.parametrize(
    ("precise", "bound"), [(False, 1e-6), (True, 1e-12)], ids=["float32-history", "float64-history"]
)
def test_kuramoto(precise: bool, bound: float, connectome: Connectome, record: Record) -> None:
    """Relative to the range of the phase."""
    from tvb.simulator import coupling
    from tvb.simulator.models.oscillator import Kuramoto

    start = {"theta": np.random.default_rng(6).uniform(0, 2 * np.pi, 68)}
    found = ours(
        "kuramoto",
        connectome,
        200.0,
        ("theta",),
        params={"global_coupling": 0.3, "omega": 0.377},
        initial=start,
        period=1.0,
    )
    with history_in_float64() if precise else nullcontext():
        wanted = tvb_series(
            Kuramoto(omega=np.array([0.377])),
            coupling.Kuramoto(a=np.array([0.3])),
            connectome,
            start,
            speed=SPEED,
            dt=DT,
            duration=200.0,
            period=1.0,
        )
    error = np.abs(found - wanted).max() / np.ptp(wanted)
    record("of the range of theta", error)
    assert error <= bound
