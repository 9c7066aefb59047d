"""Short runs of all forms of kernels, for a memory checker to watch: `python -m tests.gpu.small DEVICE`."""

from __future__ import annotations

import sys

import numpy as np

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
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
