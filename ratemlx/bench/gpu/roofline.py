"""The share of what a GPU could do that a kernel reaches: operations from its machine code, bytes from the layout."""

from __future__ import annotations

from pathlib import Path

from ratemlx.bench.gpu.variants import DEFAULT, Variant, definitions_of
from ratemlx.bench.sass import (
    FunctionCounts,
    count_sass,
    disassemble,
    floating_point_operations_per_step,
    instructions_per_step,
)
from ratemlx.cluster.hardware import Gpu
from ratemlx.cluster.prediction import network_of
from ratemlx.cluster.roofline import Roofline, node_step_bytes, roofline
from ratemlx.errors import DeviceError
from ratemlx.runtime.devices.cuda_compile import compile_for
from ratemlx.runtime.plan import SpeedGroup
from ratemlx.runtime.spec import Job

FUNCTIONS = {"block": "advance_kernel", "tile": "advance_tile_kernel"}
"""Where a variant's steps are, by its form."""
WARP_SCHEDULERS = 4
"""Of a multiprocessor, on all architectures of the catalogue; each starts one instruction of a warp in a clock."""
WARP = 32


def counts_of(job: Job, group: SpeedGroup, architecture: str, variant: Variant = DEFAULT) -> FunctionCounts:
    """What a node-step of a job's kernel executes; raises DeviceError where compiler or nvdisasm are missing."""
    cubin = compile_for(Path(job.spec.folder), architecture, definitions_of(job, variant, group.block))
    found = count_sass(disassemble(cubin), steps_per_sample=job.timing.steps_per_sample)
    try:
        return found[FUNCTIONS[variant.form]]
    except KeyError:
        raise DeviceError(f"{cubin.name} has no {FUNCTIONS[variant.form]}") from None


def kernel_roofline(counts: FunctionCounts, job: Job, group: SpeedGroup, gpu: Gpu) -> Roofline:
    """FLOP and bytes of a node-step, and the node-steps per second that they allow at most on a GPU."""
    network = network_of(job, group)
    operations = floating_point_operations_per_step(
        counts, block=group.block, edges_per_region=network.edges_per_region
    )
    return roofline(gpu, job.spec.precision, operations=operations, bytes=node_step_bytes(job.manifest, network))


def issue_bound(counts: FunctionCounts, job: Job, group: SpeedGroup, gpu: Gpu) -> float:
    """Node-steps per second at which every scheduler starts an instruction in every clock: a bound that no FLOP count
    tells, for integers, selects and loads take their turns too.
    """
    edges = network_of(job, group).edges_per_region
    per_step = instructions_per_step(counts, block=group.block, edges_per_region=edges)
    return gpu.multiprocessors * WARP_SCHEDULERS * WARP * gpu.clock / per_step
