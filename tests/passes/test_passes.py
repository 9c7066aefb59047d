"""Passes change how a program computes and never what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from ratemlx.errors import InternalError
from ratemlx.ir.model import Model
from ratemlx.load import load
from ratemlx.passes.count import count_expression, count_step
from ratemlx.passes.order import sort_lines
from ratemlx.passes.pipeline import PASSES, lower, run_until
from ratemlx.passes.program import Line, Program, Segment, symbol
from ratemlx.passes.verify import verify_program
from ratemlx.resources import shipped_models
from ratemlx.targets import render
from ratemlx.transfer.base import Result
from tests.passes.evaluate import evaluate, inputs

STATE = {"E": 0.012, "I": 0.02, "C_ee": 1e-6, "C_ei": -3e-7, "C_ii": 2e-6, "W_e": 55.0, "W_i": 1.5, "ou": 0.7}


@pytest.mark.parametrize("name", shipped_models())
def test_every_pass_keeps_the_invariants(name: str) -> None:
    model = load(name)
    verify_program(run_until(model, "assemble"), transfer_results=True)
    for stage in PASSES:
        verify_program(run_until(model, stage), transfer_results=stage == "specialise")


def slopes(program: Program, **states: float) -> dict[str, float]:
    """Time derivatives of a program, at 40 digits."""
    known = evaluate(program.prepare, inputs(program))
    known = evaluate(program.derivatives, {**known, **inputs(program, **states)})
    return {name[3:]: float(value) for name, value in known.items() if name.startswith("-> ")}


def test_sharing_and_hoisting_keep_every_derivative_of_adex(adex: Model) -> None:
    plain = slopes(run_until(adex, "differentiate"), c_pop0=1e-4, **STATE)
    shared = slopes(lower(adex), c_pop0=1e-4, **STATE)
    assert plain.keys() == shared.keys() == STATE.keys() - {"ou"}
    for name, value in plain.items():
        assert shared[name] == pytest.approx(value, rel=1e-14)


def test_putting_trivial_constants_in_changes_no_value(adex: Model) -> None:
    """A constant of 1e-25 instead of 0, and two time constants that differ in the last digits, are not special."""
    near = {"E_e": 1e-25, "a_i": 1e-25, "b_i": 1e-25, "K_ext_i": 1e-25, "S_i": 1 + 1e-15, "tau_i": 5 * (1 + 1e-15)}
    constants = tuple(replace(item, value=near.get(item.name, item.value)) for item in adex.constants)
    general = lower(replace(adex, constants=constants))
    special = lower(adex)
    assert "tau_i" not in general.folded
    assert {"E_e", "a_i", "b_i", "K_ext_i", "S_i", "tau_e", "tau_i"} <= set(special.folded)
    assert count_step(special).total() < count_step(general).total() - 100
    expected = slopes(general, c_pop0=1e-4, **STATE)
    for name, value in slopes(special, c_pop0=1e-4, **STATE).items():
        assert value == pytest.approx(expected[name], rel=1e-11)


def test_derivatives_equal_those_of_the_composed_formula() -> None:
    """Statement by statement, against SymPy's derivative of the whole expression at once."""
    model = load("adex_first_order")
    use = model.transfer_uses[0]
    nested: dict[sp.Symbol, sp.Expr] = {}
    for name, expression in use.function.statements:
        nested[symbol(name)] = expression.xreplace(nested)
    whole = nested[symbol("F")]
    point = {symbol(item.name): sp.Float(item.default, 40) for item in use.function.coefficients if item.size is None}
    point |= {symbol(f"P[{place}]"): sp.Float(value, 40) for place, value in enumerate((-0.05, 0.005, -0.02, 0.001))}
    point |= {symbol(f"P[{place}]"): sp.Float(0.003 * place, 40) for place in range(4, 10)}
    point |= {symbol(name): sp.Float(value, 40) for name, value in ARGUMENTS.items()}
    from ratemlx.transfer.forward import expand

    wanted = [("F", ()), ("F", ("nu_e",)), ("F", ("nu_e", "nu_i")), ("F", ("nu_i", "nu_i"))]
    expansion = expand(use.function, wanted)
    known = dict(point)
    for name, expression in expansion.statements:
        known[symbol(name)] = expression.subs(known).evalf(40)
    step = sp.Float("1e-12", 40)
    for output, wrt in wanted:
        value = expansion.results[output, wrt].subs(known).evalf(40)
        expected = central_difference(whole, point, wrt, step)
        assert float(value) == pytest.approx(float(expected), rel=1e-12), wrt


ARGUMENTS = {"nu_e": 0.004, "nu_i": 0.009, "nu_e_ext": 3e-4, "nu_i_ext": 1e-5, "W": 20.0}


def central_difference(whole: sp.Expr, point: dict[sp.Symbol, sp.Expr], wrt: tuple[str, ...], step: sp.Expr) -> sp.Expr:
    """Central differences at 40 digits, exact to about 20."""
    if not wrt:
        return whole.subs(point).evalf(40)
    own = symbol(wrt[0])
    above = central_difference(whole, {**point, own: point[own] + step}, wrt[1:], step)
    below = central_difference(whole, {**point, own: point[own] - step}, wrt[1:], step)
    return (above - below) / (2 * step)


def test_source_side_coupling_is_published_and_target_side_coupling_gathered() -> None:
    assert lower(load("montbrio")).edges is None
    program = lower(load("kuramoto"))
    assert program.edges is not None
    assert str(program.edges.results[0][1]) == "sin(c_pop0.theta_j - theta)"


def test_what_is_fixed_is_prepared_and_divisions_by_it_become_products(small: Model) -> None:
    program = lower(small)
    assert not any(
        item.is_Pow and item.exp == -1 for line in program.derivatives.lines for item in line.expression.args
    )
    assert count_step(program)["divide"] == 0
    assert "rate" in {line.name for line in program.prepare.lines}


def test_statements_in_a_circle_are_our_bug() -> None:
    circle = (Line("a", symbol("b") + 1), Line("b", symbol("a") * 2))
    with pytest.raises(InternalError, match="circle"):
        sort_lines(Segment(circle, ()))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((Line("a", symbol("b")),), "without a value"),
        ((Line("x", sp.Integer(1)),), "has a value already"),
    ],
)
def test_the_verifier_sees_broken_programs(small: Model, lines: tuple[Line, ...], message: str) -> None:
    program = lower(small)
    broken = replace(program, derivatives=Segment((*lines, *program.derivatives.lines), ()))
    with pytest.raises(InternalError, match=message):
        verify_program(broken)


def test_operations_are_counted_by_kind() -> None:
    x, y, z = (symbol(name) for name in "xyz")
    counted = count_expression(sp.sqrt(x) * y**3 / z - sp.exp(x + 1))
    assert counted == {"sqrt": 1, "multiply": 3, "divide": 1, "add": 2, "exp": 1}


def test_results_are_named_as_the_language_writes_them() -> None:
    assert str(Result("F_e", "", ("nu_i", "nu_e"))) == "diff(F_e, nu_e, nu_i)"
    assert str(Result("F_e", "mu_V")) == "F_e.mu_V"


KINKED = """<Lems name="kinked">
    <ComponentType name="derivatives">
        <Parameter name="a" default="1"/>
        <TransferFunction name="F" plugin="kinked">
            <Argument name="x" value="u"/>
            <Argument name="y" value="v * a"/>
        </TransferFunction>
        <Exposure name="u" value="u"/>
        <Dynamics>
            <StateVariable name="u" initial="0.1"/>
            <StateVariable name="v" initial="0.2"/>
            <TimeDerivative variable="u" value="F + diff(F, x) - 2 * diff(F, x, y)"/>
            <TimeDerivative variable="v" value="diff(F, y) + diff(F, y, y) * diff(F, x, x)"/>
        </Dynamics>
    </ComponentType>
</Lems>"""


@pytest.mark.parametrize(("u", "v"), [(0.4, 0.3), (-0.7, 0.9), (1.3, -0.4), (0.6, 1.7)])
def test_functions_with_kinks_have_the_derivatives_of_their_pieces(tmp_path: Path, u: float, v: float) -> None:
    path = tmp_path / "kinked.xml"
    path.write_text(KINKED, encoding="utf-8")
    model = load(path, [Path(__file__).parent / "kinked.py"])
    assert "select(" in render(model, "cpp")["kinked.cpp"]
    found = slopes(lower(model), u=u, v=v)
    x, y = symbol("x"), symbol("y")
    rectified = (x**2 if u > 0 else 0) + min((u, x), (v, y), (1, 1), key=lambda item: item[0])[1]
    rectified += y**3 if v > 0 else -(y**3)
    cases = rectified * x if u > 0 and v < 1 else rectified - y
    whole = sp.exp(-cases) + sp.floor(3 * sp.Rational(str(u))) * y + cases**2

    def at(*by: sp.Symbol) -> float:
        return float(sp.diff(whole, *by).subs({x: u, y: v}) if by else whole.subs({x: u, y: v}))

    assert found["u"] == pytest.approx(at() + at(x) - 2 * at(x, y), rel=1e-12)
    assert found["v"] == pytest.approx(at(y) + at(y, y) * at(x, x), rel=1e-12)
