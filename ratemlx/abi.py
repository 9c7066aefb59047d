"""The contract between generated folders and the runtime: the manifest, the batch structure, compile-time switches.

Its twin in C is ratemlx/runtime/include/ratemlx/abi.h. Both sides of the house import this module and nothing of
each other.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ratemlx.errors import KernelError

ABI_VERSION = 3
MANIFEST_NAME = "manifest.json"
DRIVER_NAME = "driver.py"

Precision = Literal["float32", "float64"]
Integrator = Literal["euler", "heun", "rk4"]
INTEGRATORS: tuple[Integrator, ...] = ("euler", "heun", "rk4")
BLOCK_SIZES = (16, 8, 4, 2, 1)
"""Numbers of steps that a kernel can be compiled to advance at once; the plan takes the largest that delays allow."""


@dataclass(frozen=True)
class ParameterInfo:
    """A sweepable parameter as the kernel knows it; order is the order in `ratemlx_batch.parameters`."""

    name: str
    default: float
    range: tuple[float, float] | None
    scale: Literal["linear", "log"]
    unit: str
    description: str


CONSTANT_MACRO_PREFIX = "RATEMLX_C_"


def constant_macro(name: str) -> str:
    """The preprocessor name that overrides a constant at compile time; an element `P[3]` of a vector has its own."""
    return CONSTANT_MACRO_PREFIX + name.replace("[", "_").rstrip("]")


@dataclass(frozen=True)
class ConstantInfo:
    """A constant; `macro` overrides it at compile time, and is empty if its value shaped the generated arithmetic."""

    name: str
    value: float
    unit: str
    description: str
    macro: str


@dataclass(frozen=True)
class StateInfo:
    """A state variable; initial is one value (low = high) or a range to draw each region's start from."""

    name: str
    initial: tuple[float, float]
    bounds: tuple[float | None, float | None]
    unit: str
    description: str


@dataclass(frozen=True)
class ExposureInfo:
    """An observable; bit i of RATEMLX_OBSERVE keeps the i-th."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True)
class InputInfo:
    """An input that a stimulus may drive; without one it is zero."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True)
class NoiseInfo:
    """A noise source; its stream number is its place in the list."""

    variable: str
    kind: str


@dataclass(frozen=True)
class Manifest:
    """All that the runtime knows of a model.

    `parameters` are the kernel's; the conduction speed is apart, for it changes delays and enters no expression.
    `channels` counts the quantities with a history; `gather` tells whether they are summed for a block of steps at once
    or step by step. `uses_delays` is False for models whose coupling is instantaneous
    whatever the tract lengths.
    """

    abi_version: int
    model: str
    description: str
    reference: str
    target: Literal["cpp", "cuda"]
    kernel: str
    parameters: tuple[ParameterInfo, ...]
    conduction_speed: ParameterInfo | None
    sweep_order: tuple[str, ...]
    constants: tuple[ConstantInfo, ...]
    state_variables: tuple[StateInfo, ...]
    exposures: tuple[ExposureInfo, ...]
    noises: tuple[NoiseInfo, ...]
    inputs: tuple[InputInfo, ...]
    channels: int
    gather: Literal["block", "step"]
    uses_delays: bool
    operations_per_step: int

    def to_json(self) -> str:
        """The manifest as it is written to a generated folder."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest; raises KernelError if it is not one, or of another ABI version."""
        try:
            data = json.loads(text)
            version = data["abi_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise KernelError(f"not a ratemlx manifest: {error}", "generate the folder again") from error
        if version != ABI_VERSION:
            raise KernelError(
                f"the kernel was generated for ABI version {version}, this runtime has {ABI_VERSION}",
                "generate it again: ratemlx generate MODEL",
            )
        try:
            return cls(
                **{
                    **data,
                    "parameters": tuple(_parameter(item) for item in data["parameters"]),
                    "conduction_speed": _parameter(data["conduction_speed"]) if data["conduction_speed"] else None,
                    "sweep_order": tuple(data["sweep_order"]),
                    "constants": tuple(ConstantInfo(**item) for item in data["constants"]),
                    "state_variables": tuple(_state(item) for item in data["state_variables"]),
                    "exposures": tuple(ExposureInfo(**item) for item in data["exposures"]),
                    "noises": tuple(NoiseInfo(**item) for item in data["noises"]),
                    "inputs": tuple(InputInfo(**item) for item in data["inputs"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise KernelError(f"the manifest is incomplete: {error}", "generate the folder again") from error

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a generated folder; raises KernelError if there is none."""
        try:
            return cls.from_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        except OSError as error:
            raise KernelError(
                f"no generated kernel in {folder}: {error.strerror}", "ratemlx generate MODEL writes one"
            ) from error


def _parameter(data: Mapping[str, Any]) -> ParameterInfo:
    bounds = data["range"]
    return ParameterInfo(**{**data, "range": (bounds[0], bounds[1]) if bounds else None})


def _state(data: Mapping[str, Any]) -> StateInfo:
    return StateInfo(**{**data, "initial": tuple(data["initial"]), "bounds": tuple(data["bounds"])})


def definitions(
    manifest: Manifest,
    *,
    lanes: int,
    block: int,
    precision: Precision = "float32",
    integrator: Integrator = "euler",
    noise: bool = True,
    common_noise: bool = False,
    regional: bool = False,
    stimuli: bool = False,
    observe: tuple[str, ...] | None = None,
    constants: Mapping[str, float] | None = None,
) -> dict[str, str]:
    """Preprocessor definitions that choose a variant of a kernel.

    `regional` lets parameters vary between regions and `stimuli` lets inputs vary in time. `observe` names the
    exposures to keep (all of them if None), `constants` overrides constants by name. Raises KernelError for a
    constant whose value shaped the arithmetic.
    """
    names = [item.name for item in manifest.exposures]
    kept = names if observe is None else list(observe)
    known = {item.name: item for item in manifest.constants}
    changed = {name: value for name, value in (constants or {}).items() if value != known[name].value}
    for name in changed:
        if not known[name].macro:
            raise KernelError(
                f"the value of constant {name} shaped this kernel's arithmetic and cannot be changed in it",
                f"generate another one: ratemlx generate {manifest.model} --set {name}=VALUE",
            )
    chosen = {
        "RATEMLX_LANES": str(lanes),
        "RATEMLX_BLOCK": str(block),
        "RATEMLX_INTEGRATOR": str(INTEGRATORS.index(integrator)),
        "RATEMLX_NOISE": str(int(noise and bool(manifest.noises))),
        "RATEMLX_COMMON_NOISE": str(int(common_noise)),
        "RATEMLX_REGIONAL": str(int(regional)),
        "RATEMLX_STIMULI": str(int(stimuli)),
        "RATEMLX_OBSERVE": f"{sum(1 << names.index(name) for name in kept):#x}ull",
    }
    if precision == "float64":
        chosen["RATEMLX_FLOAT64"] = "1"
    return chosen | {known[name].macro: repr(float(value)) for name, value in changed.items()}


class Batch(ctypes.Structure):
    """`ratemlx_batch` of abi.h; pointers are addresses in the memory of the device that runs it."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_tiles", "n_nodes", "ring_rows", "steps_per_sample")),
        *((name, ctypes.c_int32) for name in ("first_step", "n_steps", "first_sample", "n_samples")),
        ("course_steps", ctypes.c_int32),
        ("seed", ctypes.c_uint32 * 2),
        ("dt", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in ("edge_begin", "edge_source", "edge_delay", "edge_weight")),
        *((name, ctypes.c_void_p) for name in ("own_begin", "own_delay", "own_weight")),
        *((name, ctypes.c_void_p) for name in ("parameters", "regional", "course", "pattern")),
        *((name, ctypes.c_void_p) for name in ("identity", "state", "history", "sums", "samples")),
        ("diverged_at", ctypes.c_void_p),
    ]
