"""From the checked model to the arithmetic of a kernel, pass by pass."""

from __future__ import annotations

from collections.abc import Callable

from ratemlx.ir.model import Model
from ratemlx.passes.assemble import assemble, prune
from ratemlx.passes.differentiate import differentiate
from ratemlx.passes.hoist import hoist, prune_prepare
from ratemlx.passes.program import Program
from ratemlx.passes.share import share
from ratemlx.passes.specialise import specialise

PASSES: dict[str, tuple[Callable[[Program], Program], ...]] = {
    "specialise": (specialise,),
    "differentiate": (differentiate, prune),
    "share": (hoist, share, prune),
    "lower": (hoist, share, prune_prepare),
}
"""The passes after `assemble`, by the stage whose output `ratemlx inspect` shows."""


def lower(model: Model) -> Program:
    """Everything between a checked model and the printers."""
    program = assemble(model)
    for passes in PASSES.values():
        for step in passes:
            program = step(program)
    return program
