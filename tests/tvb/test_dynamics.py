"""What a module computes apart from a simulation: regional attributes, coupling, noise, bounds, speed."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from ratemlx.errors import RatemlxError
from ratemlx.ir.model import Model
from ratemlx.load import load
from ratemlx.targets import render
from tests.support import coupling_functions
from tests.tvb.simulation import brain, classes, run

pytestmark = pytest.mark.tvb

SEVERAL_TERMS = """
<Lems name="several_terms">
    <ComponentType name="derivatives">
        <Parameter name="global_coupling" range="0, 1" default="0.5"/>
        <Parameter name="gain" range="0, 1" default="0.25"/>
        <Constant name="noise" value="2"/>
        <Constant name="weights" value="1, 2, 3"/>
        <DerivedParameter name="portion" value="gain / 2"/>
        <Exposure name="x" value="x"/>
        <Exposure name="positive" value="max(x, 0) + erf(x)"/>
        <Exposure name="bigger" value="where(x &gt; y, x, y)"/>
        <Dynamics>
            <StateVariable name="x" initial="0.1" bounds="-3, inf"/>
            <StateVariable name="y" initial="0, 1" bounds="-inf, 3"/>
            <StateVariable name="z" initial="0"/>
            <TimeDerivative variable="x" value="-noise * x + c_linear / n_node"/>
            <TimeDerivative variable="y" value="weights[0] - y + c_difference + c_sine * weights[2]"/>
            <TimeDerivative variable="z" value="where(x &gt; 0 and not y &gt; 1, x^1.5, min(x, y, 0.5)) - portion * z"/>
        </Dynamics>
    </ComponentType>
    <ComponentType name="coupling_a">
        <Parameter name="y_far" source="y"/>
        <DerivedParameter name="c_linear" value="global_coupling"/>
        <Dynamics>
            <DerivedVariable name="pre" value="y_far"/>
            <DerivedVariable name="post" value="portion * tanh(total) + weights[1] / n_node"/>
        </Dynamics>
    </ComponentType>
    <ComponentType name="coupling_b">
        <Parameter name="y_far" source="y"/>
        <DerivedParameter name="c_difference" value="gain"/>
        <Dynamics>
            <DerivedVariable name="pre" value="erf(y_far - y) + z"/>
            <DerivedVariable name="post" value="1"/>
        </Dynamics>
    </ComponentType>
    <ComponentType name="coupling_c">
        <Parameter name="y_far" source="y"/>
        <DerivedParameter name="c_sine" value="1"/>
        <Dynamics>
            <DerivedVariable name="pre" value="where(y_far &gt;= 0.5, sin(y_far), abs(y_far))"/>
            <DerivedVariable name="post" value="1"/>
        </Dynamics>
    </ComponentType>
    <ComponentType name="noise">
        <Noise variable="x" type="additive" sigma="2 * portion"/>
        <Noise variable="z" type="additive" sigma="weights[2]"/>
    </ComponentType>
</Lems>
"""


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[[str], Model]:
    """A model from its text."""

    def of(text: str) -> Model:
        file = tmp_path / "model.xml"
        file.write_text(text.strip(), encoding="utf-8")
        return load(file)

    return of


def test_attributes_may_have_a_value_per_region(module: Callable[[str], ModuleType]) -> None:
    """Shapes (1,), (region,) and (region, 1), also set while the model is in use, give what one region alone gives."""
    montbrio = classes(module("montbrio"), "montbrio")[0]
    generator = np.random.default_rng(3)
    state, coupling = generator.uniform(0.1, 1.0, (2, 5, 1)), generator.uniform(0.0, 1.0, (1, 5, 1))
    eta, tau = generator.uniform(-6.0, -4.0, 5), generator.uniform(1.0, 2.0, 5)
    model = montbrio()
    before = model.dfun(state, coupling)
    model.eta, model.tau = eta, tau[:, np.newaxis]
    found = model.dfun(state, coupling)
    for region in range(5):
        alone = montbrio(eta=eta[region : region + 1], tau=tau[region : region + 1])
        wanted = alone.dfun(state[:, region : region + 1], coupling[:, region : region + 1])
        np.testing.assert_array_equal(found[:, region : region + 1], wanted)
    assert (found != before).all()
    model.eta, model.tau = np.full(5, -5.0), np.ones((5, 1))
    np.testing.assert_array_equal(model.dfun(state, coupling), before)


def test_regional_attributes_reach_a_simulation(module: Callable[[str], ModuleType]) -> None:
    model, coupling = classes(module("montbrio"), "montbrio")
    connectome = brain()
    start = np.repeat([[0.1], [-2.0]], 68, axis=1)
    eta = np.linspace(-6.0, -4.0, 68)
    varied = run(model(eta=eta), coupling(global_coupling=np.zeros(1)), connectome, start, dt=0.1, steps=50, speed=3.0)
    assert (np.diff(varied[-1, 0]) > 0.0).all()


def test_several_terms_over_several_states(
    module_of: Callable[[Model], ModuleType], parsed: Callable[[str], Model]
) -> None:
    module = module_of(parsed(SEVERAL_TERMS))
    model, coupling = (made() for made in classes(module, "several_terms"))
    assert model.cvar.tolist() == [1, 2, 1]
    generator = np.random.default_rng(2)
    x_i, x_j = generator.uniform(-1.0, 1.0, (2, 3, 7, 1))
    y, z, y_far = x_i[0], x_i[1], x_j[0]
    pre = coupling.pre(x_i, x_j)
    erf = np.vectorize(__import__("math").erf)
    np.testing.assert_allclose(pre[0], y_far, rtol=1e-15)
    np.testing.assert_allclose(pre[1], erf(y_far - y) + z, rtol=1e-14)
    np.testing.assert_allclose(pre[2], np.where(y_far >= 0.5, np.sin(y_far), np.abs(y_far)), rtol=1e-14)
    sums = generator.uniform(-1.0, 1.0, (3, 7, 1))
    terms = coupling.post(sums)
    np.testing.assert_allclose(terms[0], 0.5 * (0.125 * np.tanh(sums[0]) + 2.0 / 7), rtol=1e-14)
    np.testing.assert_allclose(terms[1], 0.25 * sums[1], rtol=1e-14)
    np.testing.assert_allclose(terms[2], sums[2], rtol=1e-14)
    x, y, z = states = generator.uniform(-1.0, 2.0, (3, 7, 1))
    slopes = model.dfun(states, terms)
    np.testing.assert_allclose(slopes[0], -2.0 * x + terms[0] / 7, rtol=1e-13)
    np.testing.assert_allclose(slopes[1], 1.0 - y + terms[1] + 3.0 * terms[2], rtol=1e-13)
    chosen = np.where((x > 0) & ~(y > 1), np.abs(x) ** 1.5, np.minimum(np.minimum(x, y), 0.5))
    np.testing.assert_allclose(slopes[2], chosen - 0.125 * z, rtol=1e-13)


def test_transfer_functions_of_a_coupling(
    module_of: Callable[[Model], ModuleType], parsed: Callable[[str], Model]
) -> None:
    coupling = classes(module_of(parsed(coupling_functions.TEXT)), "carried")[1]()
    x_i, x_j = np.random.default_rng(4).uniform(-1.0, 1.0, (2, 4, 7, 1))
    found = coupling.pre(x_i, x_j)
    wanted = coupling_functions.carried(x_j[0], x_j[1], x_i[1])
    np.testing.assert_allclose(found, np.array(list(wanted.values())), rtol=1e-13)


def test_too_few_coupling_terms_are_refused(
    module_of: Callable[[Model], ModuleType], parsed: Callable[[str], Model]
) -> None:
    model = classes(module_of(parsed(SEVERAL_TERMS)), "several_terms")[0]()
    with pytest.raises(ValueError, match="SeveralTerms needs 3 coupling terms, not 1: use SeveralTermsCoupling"):
        model.dfun(np.zeros((3, 2, 1)), np.zeros((1, 2, 1)))


def test_what_a_module_offers(module_of: Callable[[Model], ModuleType], parsed: Callable[[str], Model]) -> None:
    """`noise` is a name of TVB's own, and what only the coupling needs is an attribute of the coupling."""
    module = module_of(parsed(SEVERAL_TERMS))
    model, coupling = (made() for made in classes(module, "several_terms"))
    assert tuple(model.parameter_names) == ("gain", "noise_")
    assert model.weights.tolist() == [1.0, 2.0, 3.0]
    assert not hasattr(model, "global_coupling")
    assert coupling.global_coupling.tolist() == [0.5]
    assert model.state_variables == ("x", "y", "z")
    assert type(model).variables_of_interest.default == ("x",)
    assert type(model).variables_of_interest.element_choices == (
        "x", "y", "z", "numpy.where(x > y, x, y)",
    )  # fmt: skip
    assert {name: values.tolist() for name, values in model.state_variable_range.items()} == {
        "x": [0.1, 0.1],
        "y": [0.0, 1.0],
        "z": [0.0, 0.0],
    }
    assert {name: values.tolist() for name, values in model.state_variable_boundaries.items()} == {
        "x": [-3.0, np.inf],
        "y": [-np.inf, 3.0],
    }
    assert np.isinf(module.CONDUCTION_SPEED)
    domain = type(model).gain.domain
    assert (domain.lo, domain.hi, domain.step) == (0.0, 1.0, 0.01)


def test_the_strength_of_noise(module_of: Callable[[Model], ModuleType], parsed: Callable[[str], Model]) -> None:
    module = module_of(parsed(SEVERAL_TERMS))
    model = classes(module, "several_terms")[0]()
    assert module.noise_amplitudes(model).tolist() == [0.5 * 0.25**2, 0.0, 4.5]
    model.gain = np.array([0.0, 1.0])
    assert module.noise_amplitudes(model).tolist() == [[0.0, 0.5], [0.0, 0.0], [4.5, 4.5]]


def test_ornstein_uhlenbeck_noise_is_a_drift_and_additive_noise(module: Callable[[str], ModuleType]) -> None:
    """tvb-library's convention for AdEx: a stationary standard deviation of sqrt(tau_OU) = 2.24."""
    first_order = module("adex_first_order")
    model, coupling = (made() for made in classes(first_order, "adex_first_order"))
    assert first_order.noise_amplitudes(model).tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0, 1.0])
    state = np.zeros((5, 1, 1))
    state[4] = 3.0
    assert model.dfun(state, np.zeros((1, 1, 1)))[4, 0, 0] == pytest.approx(-3.0 / 5.0, rel=1e-15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tvb.simulator import integrators, noise
    additive = noise.Additive(nsig=first_order.noise_amplitudes(model), noise_seed=3)
    stochastic = integrators.EulerStochastic(dt=0.1, noise=additive)
    model.variables_of_interest = ["ou"]
    start = np.zeros((5, 68))
    found = run(model, coupling, brain(), start, dt=0.1, steps=1500, speed=3.0, integrator=stochastic)
    assert found[500:].std() == pytest.approx(np.sqrt(5.0), rel=0.05)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-noise * x", "-noise * x * dt", "the time derivatives of several_terms depend on dt"),
        ('value="y_far"', 'value="y_far / n_node"', "depends on n_node, which TVB does not tell 'pre'"),
        ('value="portion * tanh', 'value="dt * tanh', "depends on dt, which TVB does not tell a coupling"),
        ('sigma="2 * portion"', 'sigma="n_node * portion"', "the noise of several_terms depends on n_node"),
    ],
)
def test_what_tvb_cannot_know_is_refused(old: str, new: str, message: str, parsed: Callable[[str], Model]) -> None:
    assert old in SEVERAL_TERMS
    model = parsed(SEVERAL_TERMS.replace(old, new, 1))
    with pytest.raises(RatemlxError, match=message):
        render(model, "tvb")


def test_noise_may_depend_on_the_time_step(
    module_of: Callable[[Model], ModuleType], parsed: Callable[[str], Model]
) -> None:
    module = module_of(parsed(SEVERAL_TERMS.replace('sigma="2 * portion"', 'sigma="portion / sqrt(dt)"')))
    model = SimpleNamespace(gain=np.array([1.0]), weights=np.array([1.0, 2.0, 3.0]))
    assert module.noise_amplitudes(model, 0.1).tolist() == pytest.approx([0.125 / 0.1, 0.0, 4.5])


RATEML = ("epileptor", "kuramoto", "montbrio", "oscillator", "rwongwang", "rwongwang_deco")


@pytest.mark.parametrize("name", RATEML)
def test_models_of_rateml_run(name: str, rateml_models: Path, module_of: Callable[[Model], ModuleType]) -> None:
    module = module_of(load(rateml_models / f"{name}.xml"))
    model, coupling = (made() for made in classes(module, name))
    start = np.array([np.linspace(*model.state_variable_range[state], 68) for state in model.state_variables])
    found = run(model, coupling, brain(), start, dt=0.01, steps=20, speed=3.0)
    assert np.isfinite(found).all()
    assert (found[-1] != found[0]).any()


@pytest.mark.parametrize(
    ("name", "of_tvb"), [("adex", "ZerlautAdaptationSecondOrder"), ("montbrio", "MontbrioPazoRoxin")]
)
def test_speed_beside_the_class_of_tvb(name: str, of_tvb: str, module: Callable[[str], ModuleType]) -> None:
    """Printed, not asserted: evaluations of the time derivatives of one region per second, with 68 regions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tvb.simulator import models
    rates = {}
    for label, model in (("generated", classes(module(name), name)[0]()), ("TVB's own", getattr(models, of_tvb)())):
        state = np.full((model.nvar, 68, 1), 0.02)
        coupling = np.full((len(model.cvar), 68, 1), 0.01)
        model.dfun(state, coupling)
        started, calls = time.perf_counter(), 0
        while time.perf_counter() - started < 0.2:
            model.dfun(state, coupling)
            calls += 1
        rates[label] = calls * 68 / (time.perf_counter() - started)
    shown = ", ".join(f"{label} {rate:.2e}" for label, rate in rates.items())
    print(f"{name}: {shown} node-steps/s, ratio {rates['generated'] / rates[label]:.1f}")
