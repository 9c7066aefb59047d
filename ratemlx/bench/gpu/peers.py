"""Others' kernels on the same GPU in the same run: the paper's, and cuBNM's."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ratemlx.bench.gpu.works import DENSE_REGIONS, DT, STEPS_PER_SAMPLE, Work, dense_connectome
from ratemlx.bench.paper_kernel import (
    PaperRun,
    Toolchain,
    compile_paper_kernel,
    find_kernel,
    find_toolchain,
    paper_points,
    time_paper_kernel,
)
from ratemlx.errors import RatemlxError
from ratemlx.runtime import load_connectome

PROBE_SAMPLES = 3
LEAST_SECONDS, MOST_SECONDS = 2.0, 60.0
"""Of cuBNM's simulated time, in whole repetition times of 1 s, of which it needs two."""


def measure_paper_kernel(
    instances: int, architecture: str, *, seconds: float, free_bytes: float, toolchain: Toolchain | None = None
) -> dict[str, object]:
    """The paper's kernel as it is shipped and repaired, each within about `seconds` / 2; notes where one does not run.

    Fewer instances are run where memory is short, and the result says how many.
    """
    chain = toolchain or find_toolchain(architecture)
    found: dict[str, object] = {"registers": 32, "block": "32 x 32"}
    for repaired in (False, True):
        try:
            found["repaired" if repaired else "as_shipped"] = _measure(
                chain, instances, seconds / 2, free_bytes, repaired
            )
        except RatemlxError as error:
            found["repaired" if repaired else "as_shipped"] = {"note": error.message}
    return found


def _measure(chain: Toolchain, instances: int, seconds: float, free_bytes: float, repaired: bool) -> dict[str, object]:
    connectome = load_connectome("tvb:68").normalized("out-strength")
    run = _sized(instances, PROBE_SAMPLES, repaired)
    each = run.state_bytes / instances
    fitting = min(instances, int(0.9 * free_bytes / each))
    with TemporaryDirectory() as folder:
        program = compile_paper_kernel(chain, find_kernel(), Path(folder), run)
        probe = time_paper_kernel(program, _sized(fitting, PROBE_SAMPLES, repaired))
        per_sample = probe.seconds / probe.steps * STEPS_PER_SAMPLE
        samples = max(PROBE_SAMPLES, min(5_000, int(seconds / per_sample)))
        timing = time_paper_kernel(program, _sized(fitting, samples, repaired))
    return {
        "instances": fitting,
        "regions": connectome.n_regions,
        "steps": timing.steps,
        "kernel_seconds": timing.kernel_seconds,
        "seconds_with_copies": timing.seconds,
        "node_steps_per_second": timing.rate,
        "bytes_per_instance": each,
        "instances_per_40_gb": int(40e9 // each),
    }


def _sized(instances: int, samples: int, repaired: bool) -> PaperRun:
    connectome = load_connectome("tvb:68").normalized("out-strength")
    return PaperRun(connectome, paper_points(instances), samples, STEPS_PER_SAMPLE, DT, repaired)


def measure_cubnm(work: Work, *, seconds: float, on_gpu: bool = True) -> dict[str, object]:
    """cuBNM's Wong-Wang on the work's size; its BOLD signal is included, without which it does not run."""
    from ratemlx.bench.peers import cubnm_rate

    dense = dense_connectome(work.regions or DENSE_REGIONS)
    try:
        rate = cubnm_rate(dense, instances=work.instances, seconds=LEAST_SECONDS, on_gpu=on_gpu)
        fitting = rate * seconds / (work.instances * dense.n_regions) * DT / 1000
        simulated = float(max(LEAST_SECONDS, min(MOST_SECONDS, int(fitting))))
        if simulated > LEAST_SECONDS:
            rate = cubnm_rate(dense, instances=work.instances, seconds=simulated, on_gpu=on_gpu)
    except ImportError as error:
        return {"note": f"cubnm is not there: {error}"}
    except Exception as error:  # Its own errors are of many kinds; none of them may end the benchmark.
        return {"note": f"cubnm failed: {error!r}"[:500]}
    return {
        "instances": work.instances,
        "regions": dense.n_regions,
        "simulated_seconds": simulated,
        "node_steps_per_second": rate,
    }
