"""Short runs of all forms of kernels, for a memory checker to watch: `python -m tests.gpu.small DEVICE`."""

from __future__ import annotations

import sys

import numpy as np

from ratemlx.bench.gpu.variants import Variant, time_variant
from ratemlx.bench.gpu.works import WORKS, job_of
from ratemlx.runtime.devices import open_device
from tests.gpu.runs import series
from tests.support.shipped import brain

CASES = {
    "adex": {"precision": "float32"},
    "montbrio": {"precision": "float64", "integrator": "heun"},
    "kuramoto": {"precision": "float32"},
    "wong_wang_exc_inh": {"precision": "float32", "integrator": "rk4"},
}
"""Gathered by blocks, through own edges, step by step, and without delays."""
SIZES = ((1, 1), (33, 5))
"""Instances and regions."""
VARIANTS = (Variant(form="tile"), Variant(lanes=64), Variant(history="float16"))
"""Other forms of the kernels, of which the first has barriers."""


def main(device: str) -> int:
    """Run all cases on a device; 1 if a number is not finite."""
    for model, settings in CASES.items():
        for instances, regions in SIZES:
            found = series(
                model,
                device,
                connectome=brain(regions),
                sweep={"global_coupling": (0.1, 0.5, instances)},
                duration=5.0,
                **settings,
            )
            print(f"{model}, {instances} instances, {regions} regions: {found.shape}", flush=True)
            if not np.isfinite(found).all():
                return 1
    opened = open_device(device)
    job = job_of(next(work for work in WORKS if work.key == "montbrio").shrunk(33, 40), 40)
    for variant in VARIANTS:
        timing = time_variant(job, variant, opened)
        print(f"montbrio, {variant}: {timing.diverged} diverged", flush=True)
        if timing.diverged:
            return 1
    opened.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
