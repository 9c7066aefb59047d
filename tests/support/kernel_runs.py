"""Committed kernels called on arrays that are made here, in a process of their own: any size, any flags, any fault.

`tests/support/kernel_driver.cpp` is the other half. Neither the engine nor a plan is involved, so that what a kernel
promises is tested against `abi.h` alone.
"""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratemlx.abi import Batch, Form, HistoryPrecision, Manifest, Precision, definitions, history_dtype
from ratemlx.resources import INCLUDE
from tests.house.sources import CHECKOUT

Array = NDArray[Any]

GENERATED = CHECKOUT / "generated"
DRIVER = Path(__file__).with_name("kernel_driver.cpp")
MODELS = tuple(sorted(path.parent.parent.name for path in GENERATED.glob("*/cuda/manifest.json")))
PLAIN = ("-O1", "-ffp-contract=off")
SANITIZED = (
    "-O1",
    "-g1",
    "-ffp-contract=off",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    # What a function has not set is a number of its own, so that a result made of it is far off.
    "-ftrivial-auto-var-init=pattern",
)
INPUTS = ("edge_begin", "edge_source", "edge_delay", "edge_weight", "own_begin", "own_delay", "own_weight")
STEPS_PER_SAMPLE = 5


@dataclass(frozen=True)
class Network:
    """Tracts in compressed rows by target: those that a block gathers, and those of regions to themselves."""

    n_regions: int
    begin: Array
    source: Array
    delay: Array
    weight: Array
    own_begin: Array
    own_delay: Array
    own_weight: Array

    @property
    def longest(self) -> int:
        """The longest delay in steps."""
        return int(max(self.delay.max(initial=0), self.own_delay.max(initial=0)))


def random_network(n_regions: int, shortest: int, longest: int, *, own: bool, seed: int = 1) -> Network:
    """Up to five tracts to a region, of the shortest to the longest delay; with `own`, those to itself are apart."""
    rng = np.random.default_rng(seed)
    sources: list[Array] = []
    for region in range(n_regions):
        others = np.delete(np.arange(n_regions), region) if own else np.arange(n_regions)
        sources.append(np.sort(rng.permutation(others)[: rng.integers(0, 6)]))
    begin = np.cumsum([0, *(len(item) for item in sources)])
    delay = rng.integers(shortest, longest + 1, begin[-1])
    delay[: 1 if begin[-1] else 0] = shortest
    delay[-1:] = longest
    with_own = rng.integers(0, 2, n_regions) if own else np.zeros(n_regions, dtype=np.int64)
    own_begin = np.cumsum([0, *with_own])
    return Network(
        n_regions,
        begin.astype(np.int32),
        np.concatenate(sources).astype(np.int32),
        delay.astype(np.int32),
        rng.uniform(0.1, 0.5, begin[-1]),
        own_begin.astype(np.int32),
        rng.integers(0, shortest + 1, own_begin[-1]).astype(np.int32),
        rng.uniform(0.1, 0.5, own_begin[-1]),
    )


@dataclass(frozen=True)
class Case:
    """What is run; two cases with equal model, network, instances, steps and parameters ask for equal numbers.

    Parameters that are not named are drawn around their defaults, within `spread`; `macros` are added to the kernel's.
    """

    model: str
    network: Network
    instances: int
    steps: int = 30
    block: int = 4
    target: str = "cuda"
    lanes: int = 32
    precision: Precision = "float32"
    history: HistoryPrecision | None = None
    form: Form = "block"
    noise: bool = True
    spare_rows: int = 0
    macros: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, Sequence[float] | float], ...] = ()
    spread: float = 0.05
    initial: tuple[tuple[str, float], ...] = ()
    steps_per_sample: int = STEPS_PER_SAMPLE

    def on_cpu(self) -> Case:
        """The same by the C++ kernel, with another number of lanes."""
        return replace(self, target="cpp", lanes=8, form="block", macros=())

    @property
    def folder(self) -> Path:
        """Where its kernel is."""
        return GENERATED / self.model / self.target

    @property
    def ring_rows(self) -> int:
        """Whole blocks, more than the longest delay and a block as `abi.h` asks, and spare blocks."""
        least = self.network.longest + self.block + 1
        return (-(-least // self.block) + self.spare_rows) * self.block

    def macro_flags(self, manifest: Manifest) -> list[str]:
        """Its preprocessor definitions as flags."""
        chosen = definitions(
            manifest,
            lanes=self.lanes,
            block=self.block,
            precision=self.precision,
            noise=self.noise,
            history=self.history,
            form=self.form,
        )
        return [f"-D{name}={value}" for name, value in (chosen | dict(self.macros)).items()]


@dataclass(frozen=True)
class Outcome:
    """What a kernel left: samples (instance, sample, exposure, region), states (instance, variable, region), steps."""

    samples: Array
    states: Array
    diverged_at: Array


def build(folder: Path, case: Case, flags: Iterable[str] = PLAIN, source: Path | None = None) -> Path:
    """Compile the driver with a case's kernel into `folder`, once; `source` takes the place of the committed one."""
    kernel = source or case.folder / Manifest.load(case.folder).kernel
    command = ["g++", "-std=c++17", "-march=native", *flags, "-x", "c++", "-I", str(INCLUDE)]
    command += [f'-DKERNEL="{kernel}"', *case.macro_flags(Manifest.load(case.folder))]
    name = hashlib.blake2b("\0".join([*command, kernel.read_text()]).encode(), digest_size=8).hexdigest()
    program = folder / name
    if not program.exists():
        subprocess.run([*command, str(DRIVER), "-o", str(program)], check=True, capture_output=True, text=True)
    return program


def call(program: Path, case: Case, changed: Mapping[str, Array] | None = None) -> Outcome:
    """Run a built case; `changed` replaces arrays. Raises CalledProcessError with what a sanitizer says."""
    manifest = Manifest.load(case.folder)
    arrays = _arrays(case, manifest) | dict(changed or {})
    pointers = [name for name, kind in Batch._fields_[11:] if kind is ctypes.c_void_p]
    given, found = program.with_suffix(".in"), program.with_suffix(".out")
    first = case.steps // 2 // case.block * case.block
    with given.open("wb") as file:
        file.write(bytes(_batch(case, arrays)))
        file.write(np.array([2, first, case.steps - first], dtype=np.int32).tobytes())
        for name in pointers:
            data = arrays[name].tobytes() if name in arrays else b""
            file.write(np.int64(len(data)).tobytes() + data)
    # Leaks are not what is looked for, and cannot be where the process is traced.
    environment = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    subprocess.run([program, given, found], check=True, capture_output=True, text=True, env=environment, timeout=120)
    data, at, results = found.read_bytes(), 0, dict[str, Array]()
    for name in (name for name in pointers if name in arrays):
        results[name] = np.frombuffer(data, arrays[name].dtype, arrays[name].size, at).reshape(arrays[name].shape)
        at += arrays[name].nbytes
    return Outcome(*(_lanes_first(results[name])[: case.instances] for name in ("samples", "state", "diverged_at")))


def _batch(case: Case, arrays: Mapping[str, Array]) -> Batch:
    tiles, samples = arrays["samples"].shape[:2]
    return Batch(
        n_tiles=tiles,
        n_nodes=case.network.n_regions,
        ring_rows=case.ring_rows,
        steps_per_sample=case.steps_per_sample,
        n_samples=samples,
        seed=(ctypes.c_uint32 * 2)(12, 34),
        dt=0.1,
    )


def _arrays(case: Case, manifest: Manifest) -> dict[str, Array]:
    """Arrays as the engine makes them, but that nothing which a kernel must set itself has a number in it."""
    network, dtype = case.network, np.dtype(case.precision)
    tiles, nodes, lanes = -(-case.instances // case.lanes), case.network.n_regions, case.lanes
    held = np.minimum(np.arange(tiles * lanes), case.instances - 1)
    kept = np.dtype(history_dtype(case.precision, case.history))
    unset = 0x7FC0 if case.history == "bfloat16" else np.nan
    history = (tiles, manifest.channels, nodes, case.ring_rows + case.block, lanes)
    samples = (tiles, -(-case.steps // case.steps_per_sample), len(manifest.exposures), nodes, lanes)
    return {
        **dict(zip(INPUTS, (network.begin, network.source, network.delay), strict=False)),
        "edge_weight": network.weight.astype(dtype),
        "own_begin": network.own_begin,
        "own_delay": network.own_delay,
        "own_weight": network.own_weight.astype(dtype),
        "parameters": _lanes_last(_parameters(case, manifest)[held], lanes).astype(dtype),
        "identity": _lanes_last(np.stack([held + 7, held * 0], axis=1), lanes).astype(np.uint32),
        "state": _lanes_last(_states(case, manifest)[held], lanes).astype(dtype),
        "history": np.full(history, unset, dtype=kept),
        "sums": np.zeros((tiles, len(manifest.exposures), nodes, lanes), dtype=dtype),
        "samples": np.full(samples, np.nan, dtype=dtype),
        "diverged_at": np.full((tiles, lanes), -1, dtype=np.int32),
    }


def _parameters(case: Case, manifest: Manifest) -> Array:
    """Another point for each instance."""
    rng = np.random.default_rng(2)
    defaults = np.array([item.default for item in manifest.parameters])
    table: Array = defaults * rng.uniform(1 - case.spread, 1 + case.spread, (case.instances, len(defaults)))
    names = [item.name for item in manifest.parameters]
    for name, value in case.parameters:
        table[:, names.index(name)] = value
    return table


def _states(case: Case, manifest: Manifest) -> Array:
    """Within the model's initial ranges, another start for each region of each instance."""
    rng = np.random.default_rng(3)
    chosen = dict(case.initial)
    ranges = [(chosen[item.name],) * 2 if item.name in chosen else item.initial for item in manifest.state_variables]
    shape = (case.instances, case.network.n_regions)
    return np.stack([rng.uniform(low, high, shape) for low, high in ranges], axis=1)


def _lanes_last(values: Array, lanes: int) -> Array:
    return np.ascontiguousarray(np.moveaxis(values.reshape(-1, lanes, *values.shape[1:]), 1, -1))


def _lanes_first(values: Array) -> Array:
    return np.moveaxis(values, -1, 1).reshape(-1, *values.shape[1:-1])
