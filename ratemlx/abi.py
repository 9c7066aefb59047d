"""The contract between generated folders and the runtime: the manifest, the batch structure, compile-time switches.

Its twin in C is ratemlx/runtime/include/ratemlx/abi.h. Both sides of the house import this module and nothing of
each other.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ratemlx.errors import KernelError
from ratemlx.json_text import NotJsonError, parse_object, read_object

ABI_VERSION = 4
MANIFEST_NAME = "manifest.json"
DRIVER_NAME = "driver.py"
REMEDY = "generate the folder again: ratemlx generate MODEL"

Precision = Literal["float32", "float64"]
Integrator = Literal["euler", "heun", "rk4"]
INTEGRATORS: tuple[Integrator, ...] = ("euler", "heun", "rk4")
BLOCK_SIZES = (16, 8, 4, 2, 1)
"""Numbers of steps that a kernel can be compiled to advance at once; the plan takes the largest that delays allow."""
ITEM_BYTES: Mapping[str, int] = {"float32": 4, "float64": 8}

HistoryPrecision = Literal["float32", "float16", "bfloat16"]
HISTORY_CODES: Mapping[HistoryPrecision, int] = {"float16": 1, "bfloat16": 2, "float32": 3}
Form = Literal["block", "tile"]
"""How a GPU is driven: a launch for each block of steps, or one for many, where one thread block keeps a tile."""
FORMS: tuple[Form, ...] = ("block", "tile")
TILE_BLOCK = 2
"""Up to this block size a run drives a GPU by the form `tile`: a launch for every step or two would be too many."""
TILE_THREADS = 256
"""Threads of a block that keeps a tile: enough to hide latency, few enough that any model has its registers."""
WARP = 32
SHARED_BYTES = 48 * 1024
"""Shared memory that a thread block may have without asking the driver for more."""
LARGE_STEP, LARGE_STEP_WARPS = 400, 20
"""A float32 step of more operations than the first is compiled to leave room for so many warps (of WARP threads).

For second-order AdEx these are the most that nvcc reaches without spilling; they cost two instructions in a hundred and
give a third more warps than the compiler's own choice (tests/house/cuda_kernels.txt). Smaller models have as many
anyway; float64 spills.
"""
FAST_MATH_FLAGS = ("-ftz=true", "-prec-div=false", "-prec-sqrt=false")
"""For nvcc and NVRTC: division within 2 units in the last place, square roots within 1, subnormal numbers are zero."""


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
    def from_json(cls, text: str, name: str = MANIFEST_NAME) -> Manifest:
        """Read a manifest; raises KernelError, with the place, if it is not one, or of another ABI version."""
        try:
            return cls._of(parse_object(text.encode(), name), name)
        except NotJsonError as error:
            raise KernelError(str(error), REMEDY) from error

    @classmethod
    def _of(cls, data: Mapping[str, Any], name: str) -> Manifest:
        version = data.get("abi_version")
        if version is None:
            raise KernelError(f"{name} is not the manifest of a generated kernel", REMEDY)
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
        except (KeyError, TypeError, IndexError) as error:
            raise KernelError(f"{name} is not whole: something is missing, or of another kind", REMEDY) from error

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a generated folder; raises KernelError if there is none, or it is not one."""
        path = folder / MANIFEST_NAME
        try:
            return cls._of(read_object(path), str(path))
        except NotJsonError as error:
            raise KernelError(str(error), REMEDY) from error
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
    history: HistoryPrecision | None = None,
    form: Form = "block",
    fast_math: bool = False,
) -> dict[str, str]:
    """Preprocessor definitions that choose a variant of a kernel.

    `regional` lets parameters vary between regions and `stimuli` lets inputs vary in time. `observe` names the
    exposures to keep (all of them if None), `constants` overrides constants by name. Raises KernelError for a
    constant whose value shaped the arithmetic. The history is kept as the kernel computes if `history` is None. `form`
    and `fast_math` matter to a GPU only.
    """
    names = [item.name for item in manifest.exposures]
    kept = names if observe is None else list(observe)
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
    if history not in (None, precision):
        chosen["RATEMLX_HISTORY"] = str(HISTORY_CODES[history])
    if manifest.target == "cuda":
        chosen |= _device_definitions(manifest, lanes, precision, form, fast_math)
    return chosen | _constant_definitions(manifest, constants or {})


def _device_definitions(
    manifest: Manifest, lanes: int, precision: Precision, form: Form, fast_math: bool
) -> dict[str, str]:
    chosen: dict[str, str] = {}
    if form == "tile":
        rows = tile_rows(lanes)
        # Room for one thread block is said to the compiler, or it spills for the sake of several.
        chosen |= {"RATEMLX_FORM": "1", "RATEMLX_ROWS": str(rows), "RATEMLX_WARPS": str(max(1, rows * lanes // WARP))}
    if precision == "float32" and manifest.operations_per_step > LARGE_STEP:
        chosen["RATEMLX_WARPS"] = str(LARGE_STEP_WARPS)
    if fast_math and precision == "float32":
        chosen["RATEMLX_FAST_MATH"] = "1"
    return chosen


def _constant_definitions(manifest: Manifest, constants: Mapping[str, float]) -> dict[str, str]:
    known = {item.name: item for item in manifest.constants}
    changed = {name: value for name, value in constants.items() if value != known[name].value}
    for name in changed:
        if not known[name].macro:
            raise KernelError(
                f"the value of constant {name} shaped this kernel's arithmetic and cannot be changed in it",
                f"generate another one: ratemlx generate {manifest.model} --set {name}=VALUE",
            )
    return {known[name].macro: repr(float(value)) for name, value in changed.items()}


def compiler_flags(definitions: Mapping[str, str]) -> tuple[str, ...]:
    """What a CUDA compiler must be told besides a variant's definitions."""
    return FAST_MATH_FLAGS if definitions.get("RATEMLX_FAST_MATH") == "1" else ()


def history_dtype(precision: Precision, history: HistoryPrecision | None) -> str:
    """NumPy's name for the items of `ratemlx_batch.history`; a bfloat16 is its 16 bits, which NumPy has no type for."""
    return "uint16" if history == "bfloat16" else history or precision


def history_bytes(precision: Precision, history: HistoryPrecision | None) -> int:
    """Bytes of an item of `ratemlx_batch.history`."""
    return 2 if history in ("float16", "bfloat16") else ITEM_BYTES[history or precision]


def usual_form(block: int) -> Form:
    """The form that a run takes on a GPU. By the block size alone: compilers may round a form's arithmetic differently,
    and the company in which an instance runs must not alter its results.
    """
    return "tile" if block <= TILE_BLOCK else "block"


def tile_rows(lanes: int) -> int:
    """RATEMLX_ROWS of the form `tile`: regions that a thread block advances at the same time."""
    return max(1, TILE_THREADS // lanes)


def shared_bytes(
    manifest: Manifest, *, lanes: int, block: int, precision: Precision = "float32", form: Form = "block"
) -> int:
    """Shared memory of a thread block; nvcc refuses a kernel that takes more than SHARED_BYTES."""
    threads = lanes * (tile_rows(lanes) if form == "tile" else 1)
    values = manifest.channels * block if manifest.gather == "block" else 0
    return values * threads * ITEM_BYTES[precision]


@dataclass(frozen=True)
class Launch:
    """One launch of a CUDA kernel, which takes a Batch by value: function, grid and block as (x, y), and its steps."""

    function: str
    grid: tuple[int, int]
    threads: tuple[int, int]
    steps: int


def start_launch(batch: Batch, lanes: int) -> Launch:
    """The launch that fills the histories of a batch; the same for both forms."""
    return Launch("start_kernel", (batch.n_tiles, batch.n_nodes), (lanes, 1), 0)


def advance_launches(batch: Batch, form: Form, lanes: int, block: int) -> Iterator[Launch]:
    """Launches that advance a batch by its `n_steps`, in order.

    Each takes a copy of the batch with `n_steps` its own steps and `first_step` moved on by the steps of those before.
    """
    if form == "tile":
        yield Launch("advance_tile_kernel", (batch.n_tiles, 1), (lanes, tile_rows(lanes)), batch.n_steps)
        return
    for done in range(0, batch.n_steps, block):
        steps = min(block, batch.n_steps - done)
        yield Launch("advance_kernel", (batch.n_tiles, batch.n_nodes), (lanes, 1), steps)


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
