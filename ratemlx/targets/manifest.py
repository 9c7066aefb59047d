"""What the runtime is told of a model: the manifest beside a kernel."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Literal

from ratemlx import abi
from ratemlx.ir.model import Constant, Model, Parameter
from ratemlx.passes.assemble import active_couplings
from ratemlx.passes.count import count_step
from ratemlx.passes.program import Program


def build_manifest(program: Program, target: Literal["cpp", "cuda"], kernel: str) -> abi.Manifest:
    """The manifest of a lowered program."""
    model = program.model
    return replace(
        outline(model, target),
        kernel=kernel,
        constants=tuple(_constant(item, program.folded) for item in model.constants),
        channels=len(program.channels.results),
        gather="step" if program.edges else "block",
        uses_delays=model.delays and bool(active_couplings(model)),
        operations_per_step=sum(count_step(program).values()),
    )


def outline(model: Model, target: Literal["cpp", "cuda"]) -> abi.Manifest:
    """What of the manifest is known before a model is lowered: all names and values, nothing that depends on code.

    Enough to check a run's settings at no cost; no kernel goes with it.
    """
    speed = next((item for item in model.parameters if item.is_conduction_speed), None)
    return abi.Manifest(
        abi_version=abi.ABI_VERSION,
        model=model.name,
        description=model.description,
        reference=model.reference,
        target=target,
        kernel="",
        parameters=tuple(_parameter(item) for item in model.parameters if not item.is_conduction_speed),
        conduction_speed=_parameter(speed) if speed else _fixed_speed(model),
        sweep_order=tuple(item.name for item in model.parameters),
        constants=tuple(_constant(item, ()) for item in model.constants),
        state_variables=tuple(
            abi.StateInfo(item.name, item.initial, item.bounds, str(item.unit or ""), item.description)
            for item in model.state_variables
        ),
        exposures=tuple(
            abi.ExposureInfo(item.name, str(item.unit or ""), item.description) for item in model.exposures
        ),
        noises=tuple(abi.NoiseInfo(item.variable, item.kind) for item in model.noises),
        inputs=tuple(abi.InputInfo(item.name, str(item.unit or ""), item.description) for item in model.inputs),
        channels=0,
        gather="block",
        uses_delays=model.delays,
        operations_per_step=0,
    )


def _parameter(item: Parameter) -> abi.ParameterInfo:
    return abi.ParameterInfo(item.name, item.default, item.range, item.scale, str(item.unit or ""), item.description)


def _fixed_speed(model: Model) -> abi.ParameterInfo | None:
    if model.fixed_speed is None:
        return None
    about = "Conduction speed along the tracts"
    return abi.ParameterInfo("conduction_speed", model.fixed_speed, None, "linear", "mm/ms", about)


def _constant(item: Constant, folded: Container[str]) -> abi.ConstantInfo:
    """A constant; those folded into others have no macro, for no definition could change them."""
    macro = "" if item.name in folded else abi.constant_macro(item.name)
    return abi.ConstantInfo(item.name, item.value, str(item.unit or ""), item.description, macro)
