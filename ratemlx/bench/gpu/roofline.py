"""The share of what a GPU could do that a kernel reaches: operations from its machine code, bytes from the layout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ratemlx.bench.gpu.variants import DEFAULT, Variant, definitions_of
from ratemlx.bench.gpu.works import Work, job_of
from ratemlx.bench.sass import Counts, FunctionCounts, count_sass, disassemble
from ratemlx.cluster.hardware import Gpu
from ratemlx.cluster.prediction import network_of
from ratemlx.cluster.roofline import Roofline, node_step_bytes, roofline
from ratemlx.errors import DeviceError
from ratemlx.runtime.devices.cuda_compile import compile_for
from ratemlx.runtime.plan import Limits, SpeedGroup, make_plan
from ratemlx.runtime.spec import Job

FUNCTION = "advance_kernel"
"""Where steps are counted. The form `tile` does the same in loops within each other, which are not told apart."""
WARP_SCHEDULERS = 4
"""Of a multiprocessor, on all architectures of the catalogue; each starts one instruction of a warp in a clock."""
WARP = 32
MULTIPLY_ADD = 2
"""Floating-point operations."""


@dataclass(frozen=True)
class Cost:
    """What a node-step of a work costs on a GPU, counted in its machine code, and the rates that this allows."""

    work: Work
    counts: FunctionCounts
    line: Roofline
    by_issue: float


def cost_of(work: Work, gpu: Gpu, variant: Variant = DEFAULT) -> Cost:
    """Compile a work's kernel for a GPU, which need not be there; raises DeviceError without compiler or nvdisasm."""
    job = job_of(work.shrunk(1, work.steps), work.steps)
    limits = Limits(variant.lanes, 1, 2**62, 1.0)
    plan = make_plan(
        job.manifest,
        job.edges,
        job.timing,
        job.parameters.speeds,
        precision=job.spec.precision,
        n_observed=len(job.observed),
        limits=limits,
    )
    (group,) = plan.groups
    counts = counts_of(job, group, gpu.architecture, variant)
    return Cost(work, counts, kernel_roofline(counts, job, group, gpu), issue_bound(counts, job, group, gpu))


def counts_of(job: Job, group: SpeedGroup, architecture: str, variant: Variant = DEFAULT) -> FunctionCounts:
    """What a node-step of a job's kernel executes; raises DeviceError where compiler or nvdisasm are missing."""
    counted = replace(variant, form="block")
    cubin = compile_for(Path(job.spec.folder), architecture, definitions_of(job, counted, group.block))
    found = count_sass(disassemble(cubin), steps_per_sample=job.timing.steps_per_sample)
    try:
        return found[FUNCTION]
    except KeyError:
        raise DeviceError(f"{cubin.name} has no {FUNCTION}") from None


def kernel_roofline(counts: FunctionCounts, job: Job, group: SpeedGroup, gpu: Gpu) -> Roofline:
    """FLOP and bytes of a node-step, and the node-steps per second that they allow at most on a GPU."""
    network = network_of(job, group)
    step = counts.step.operations if counts.step else 0.0
    operations = step + MULTIPLY_ADD * _edges_per_step(counts, job, group)
    return roofline(gpu, job.spec.precision, operations=operations, bytes=node_step_bytes(job.manifest, network))


def issue_bound(counts: FunctionCounts, job: Job, group: SpeedGroup, gpu: Gpu) -> float:
    """Node-steps per second at which every scheduler starts an instruction in every clock: a bound that no FLOP count
    tells, for integers, selects and loads take their turns too.
    """
    per_step = counts.step.total if counts.step else 0.0
    if counts.edge:
        per_step += counts.edge.total / _multiply_adds(counts.edge) * _edges_per_step(counts, job, group)
    return gpu.multiprocessors * WARP_SCHEDULERS * WARP * gpu.clock / per_step


def _edges_per_step(counts: FunctionCounts, job: Job, group: SpeedGroup) -> float:
    """Multiply-adds of a node-step's delayed values, one for each; none where the loop over steps has them already."""
    if counts.edge is None:
        return 0.0
    return job.manifest.channels * network_of(job, group).edges_per_region


def _multiply_adds(edge: Counts) -> float:
    """Delayed values that are added up in what gathers: compilers unroll that loop as they like, and keep the rest."""
    return max(1.0, sum(edge.by_name.get(name, 0) for name in ("FFMA", "DFMA")))
