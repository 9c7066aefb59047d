"""From the checked model to the arithmetic of a kernel, pass by pass."""

from __future__ import annotations

from collections.abc import Callable

from ratemlx.ir.dump import dump
from ratemlx.ir.model import Model
from ratemlx.passes.assemble import assemble, prune
from ratemlx.passes.bind import bind
from ratemlx.passes.differentiate import differentiate
from ratemlx.passes.dump import dump_program, dump_units
from ratemlx.passes.factor import factor
from ratemlx.passes.hoist import evaluate_all, hoist, prune_prepare
from ratemlx.passes.limits import check_limits
from ratemlx.passes.program import Program
from ratemlx.passes.share import share
from ratemlx.passes.specialise import specialise

PASSES: dict[str, tuple[Callable[[Program], Program], ...]] = {
    "specialise": (specialise,),
    "differentiate": (differentiate, prune, check_limits),
    "share": (hoist, share, prune),
    "lower": (hoist, factor, share, hoist, share, prune_prepare),
}
"""The passes after `assemble`, by the stage whose output `ratemlx inspect` shows."""

ADJUSTABLE: tuple[Callable[[Program], Program], ...] = (
    bind,
    differentiate,
    prune,
    check_limits,
    evaluate_all,
    share,
    prune_prepare,
)
"""The passes after `assemble` where all constants stay adjustable at run time and formulas stay near the model's."""

STAGES: dict[str, str] = {
    "names": "the checked model: names resolved, transfer functions bound",
    "units": "the unit of every quantity",
    "assemble": "expressions laid out by their place in a step",
    "specialise": "trivial and equal constants put in",
    "differentiate": "transfer functions and their derivatives written out as statements",
    "share": "common subexpressions computed once, fixed ones moved out of the step",
    "lower": "what the printers of the targets get",
}
"""Stages that `ratemlx inspect` shows, in order."""


def lower(model: Model) -> Program:
    """Everything between a checked model and the printers."""
    return run_until(model, "lower")


def lower_adjustable(model: Model) -> Program:
    """The same for targets whose constants may change at run time: no value is put in, nothing moves to `prepare`."""
    program = assemble(model)
    for step in ADJUSTABLE:
        program = step(program)
    return program


def run_until(model: Model, stage: str) -> Program:
    """The program after a stage of PASSES, or after `assemble`."""
    program = assemble(model)
    if stage == "assemble":
        return program
    for name, passes in PASSES.items():
        for step in passes:
            program = step(program)
        if name == stage:
            break
    return program


def stage_text(model: Model, stage: str) -> str:
    """What `ratemlx inspect --stage` prints; `stage` is a name in STAGES."""
    if stage == "names":
        return dump(model)
    if stage == "units":
        return dump_units(model)
    return dump_program(run_until(model, stage))
