"""Transfer functions in a coupling: computed where the source publishes, or on the edge if they look at the target."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ratemlx.ir.model import Model
from ratemlx.passes.assemble import looks_at_target
from ratemlx.passes.pipeline import PASSES, lower, lower_adjustable, run_until
from ratemlx.passes.program import Program, free_names
from ratemlx.passes.verify import verify_program
from tests.ir.texts import build, model_text
from tests.passes.evaluate import evaluate, inputs
from tests.support.coupling_functions import TEXT, carried

SOURCE = {"x": 0.8, "y": -0.25}
TARGET = {"x": -0.1, "y": 0.6}


@pytest.fixture(scope="module")
def model() -> Model:
    return build(TEXT)


def test_every_pass_keeps_the_invariants(model: Model) -> None:
    verify_program(run_until(model, "assemble"), transfer_results=True)
    for stage in PASSES:
        verify_program(run_until(model, stage), transfer_results=stage == "specialise")


def test_a_target_is_seen_through_an_argument(model: Model) -> None:
    assert [item.name for item in model.couplings if looks_at_target(model, item)] == ["c_near", "c_twice"]


def test_a_function_that_pre_does_not_use_makes_no_edge() -> None:
    coupling = (
        '<ComponentType name="coupling_one"><Parameter name="x_j" source="x"/><DerivedParameter name="c"/>'
        '<TransferFunction name="S" plugin="sigmoid"><Argument name="x" value="x_j - x"/></TransferFunction>'
        '<Dynamics><DerivedVariable name="pre" value="x_j"/></Dynamics></ComponentType>'
    )
    model = build(model_text(dynamics='<TimeDerivative variable="x" value="c"/>', components=coupling))
    assert [item.message for item in model.warnings] == ["nothing uses the transfer function 'S'"]
    assert lower(model).edges is None


@pytest.mark.parametrize("lowered", [lower, lower_adjustable])
def test_what_an_edge_carries(model: Model, lowered: Callable[[Model], Program]) -> None:
    program = lowered(model)
    assert program.edges is not None
    fixed = evaluate(program.prepare, inputs(program))
    channels = evaluate(program.channels, {**fixed, **inputs(program, **SOURCE)})
    delayed = {name[3:]: value for name, value in channels.items() if name.startswith("-> ")}
    found = evaluate(program.edges, {**fixed, **inputs(program, **TARGET), **delayed})
    wanted = carried(np.array(SOURCE["x"]), np.array(SOURCE["y"]), np.array(TARGET["y"]))
    assert {name: float(found[f"-> {name}"]) for name in wanted} == pytest.approx(wanted, rel=1e-14)


def test_sources_leave_no_statement_of_their_own(model: Model) -> None:
    program = lower(model)
    assert program.edges is not None
    names = {line.name for segment in program.segments().values() for line in segment.lines}
    assert names.isdisjoint({"x_j", "y_j"})
    assert free_names(program.channels.expressions()).isdisjoint({"x_j", "y_j"})
    assert [name for name, _ in program.channels.results] == ["c_far.pre", "c_near.x_j", "c_twice.x_j", "c_slope.pre"]
