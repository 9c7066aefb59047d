"""Compiling ahead what a run will load: the variants of its kernel, and the programs of its observables.

They go into the cache under the names that the run will look for, by the compiler that it would use, so that the run
compiles nothing. A GPU need not be there if its architecture is named. Nothing is simulated or written elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratemlx.abi import Manifest
from ratemlx.errors import DeviceError
from ratemlx.observables import programs
from ratemlx.runtime.analysis import Analysis
from ratemlx.runtime.devices import open_device, parse_device
from ratemlx.runtime.devices.compiled import Entry, made_once
from ratemlx.runtime.devices.compiler import cpu_model, library_entry
from ratemlx.runtime.devices.cuda_architecture import EXAMPLES, Architecture
from ratemlx.runtime.devices.cuda_compile import LANES, cubin_entry
from ratemlx.runtime.devices.kernel_file import kernel_file
from ratemlx.runtime.devices.names import CUDA
from ratemlx.runtime.devices.ptxas import Usage, usages
from ratemlx.runtime.limits import open_own_device
from ratemlx.runtime.plan import speed_groups
from ratemlx.runtime.spec import Job, RunSpec, prepare
from ratemlx.runtime.stopping import interrupts_handled
from ratemlx.runtime.variant import kernel_definitions
from ratemlx.runtime.world import World, nobody_waits, open_world, together


@dataclass(frozen=True, eq=False)
class Loaded:
    """Something that a run loads: what people call it, its source, and the definitions that choose its variant.

    `kernel` is the manifest of a model's kernel, None for other programs.
    """

    name: str
    source: Path
    definitions: Mapping[str, str]
    kernel: Manifest | None = None


@dataclass(frozen=True, eq=False)
class Toolchain:
    """What compiles for one kind of device: `architecture` and tile for people and kernels, `entry` for the cache."""

    architecture: str
    lanes: int
    entry: Callable[[Loaded], Entry]


def say(line: str) -> None:
    """Print a line now, as what comes after it may take a while."""
    print(line, flush=True)


def compile_run(spec: RunSpec, world: World | None = None, tell: Callable[[str], None] = say) -> None:
    """Compile all that a run of this spec will load and tell of each, a line as soon as it is there.

    Of several ranks one compiles on each computer, and rank 0 tells. No folder for results is needed. Raises what else
    `run` would raise before it begins, and where a kernel does not compile; DeviceError where there is no compiler, or
    no GPU and no architecture.
    """
    world = world or open_world()
    told = tell if world.rank == 0 else lambda _: None
    with interrupts_handled(), nobody_waits(world):
        job = together(world, lambda: prepare(spec))
        together(world, lambda: _compile(job, world, told) if world.local_rank == 0 else None)


def loaded_by(job: Job, lanes: int) -> Iterator[Loaded]:
    """All that a run loads on a device with tiles of so many instances; raises what its options cannot be."""
    manifest, spec, target = job.manifest, job.spec, parse_device(job.spec.device).target
    observation = Analysis(job, lanes, 1).observation
    source = kernel_file(spec.folder, manifest, target, spec.device)
    everyone = np.arange(job.sweep.n_instances)
    groups = speed_groups(manifest, job.edges, job.timing, job.parameters.speeds, everyone)
    for block in dict.fromkeys(group.block for group in groups):
        yield Loaded(f"{manifest.model} for blocks of {block}", source, kernel_definitions(job, block, lanes), manifest)
    if observation is not None:
        for name in observation.programs:
            yield Loaded(name, programs.source(name), programs.definitions(observation.layout, target))


def _compile(job: Job, world: World, tell: Callable[[str], None]) -> None:
    tools = _gpu_tools(job.spec, world) if parse_device(job.spec.device).kind == CUDA else _host_tools(job.spec)
    wanted = [(item.name, tools.entry(item)) for item in loaded_by(job, job.spec.lanes or tools.lanes)]
    width = max(len(name) for name, _ in wanted)
    tell(f"compiling for {tools.architecture} with {wanted[0][1].compiler}")
    for name, entry in wanted:
        tell(f"{name:<{width}}  {tools.architecture}  {_made(entry)}")
    tell(f"cache: {wanted[0][1].path.parent}")


def _made(entry: Entry) -> str:
    """Compile an entry if it is not there, and say how long it took and what a thread of it takes."""
    report: list[str] = []

    def make(path: Path) -> None:
        report.append(entry.make(path))

    started = time.perf_counter()
    made_once(entry.path, make)
    if not report:
        return "was there"
    seconds = time.perf_counter() - started
    return f"{seconds:6.1f} s{_used(list(usages(report[0])))}"


def _used(found: list[Usage]) -> str:
    if not found:
        return ""
    registers, spilled = max(item.registers for item in found), sum(item.spilled_bytes for item in found)
    return f"  {registers:3} registers, {f'{spilled} bytes' if spilled else 'nothing'} spilled"


def _host_tools(spec: RunSpec) -> Toolchain:
    device = open_device(spec.device, 1)
    try:
        lanes = device.lanes(spec.precision)
    finally:
        device.close()
    model = cpu_model().rsplit(" ", 1)[0]
    return Toolchain(model, lanes, lambda item: library_entry(item.source, item.definitions))


def _gpu_tools(spec: RunSpec, world: World) -> Toolchain:
    from ratemlx.runtime.devices.cuda import check_shared
    from ratemlx.runtime.devices.cuda_open import asked_architecture, compilers_for

    architecture = asked_architecture(spec.arch) or _own_architecture(spec, world)
    compilers = compilers_for(parse_device(spec.device).binding)

    def entry(item: Loaded) -> Entry:
        if item.kernel is not None:
            check_shared(item.kernel, item.definitions)
        return cubin_entry(item.source, item.definitions, architecture, compilers)

    return Toolchain(str(architecture), LANES, entry)


def _own_architecture(spec: RunSpec, world: World) -> Architecture:
    """That of the GPU that this rank would use."""
    from ratemlx.runtime.devices.cuda import CudaDevice

    try:
        device = open_own_device(replace(spec, arch=None), world, 1)
    except DeviceError as error:
        raise DeviceError(
            f"there is no GPU here to compile for: {error.message}", f"name its architecture: --arch {EXAMPLES}"
        ) from error
    assert isinstance(device, CudaDevice)
    try:
        return device.architecture
    finally:
        device.close()
