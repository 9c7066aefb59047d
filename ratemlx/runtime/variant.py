"""Which variant of a kernel a run takes: the definitions that its options come to.

Knows no device and compiles nothing.
"""

from __future__ import annotations

from ratemlx.abi import definitions, usual_form
from ratemlx.runtime.spec import Job


def kernel_definitions(job: Job, block: int, lanes: int) -> dict[str, str]:
    """The preprocessor definitions of a job's kernel for blocks of `block` steps and tiles of `lanes` instances."""
    return definitions(
        job.manifest,
        lanes=lanes,
        block=block,
        precision=job.spec.precision,
        integrator=job.spec.integrator,
        noise=job.spec.noise,
        common_noise=job.spec.common_noise,
        regional=job.regional is not None,
        stimuli=job.stimuli is not None,
        observe=job.observed,
        constants=job.constants,
        history=job.spec.history,
        form=usual_form(block),
    )
