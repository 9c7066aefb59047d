"""What is measured on a GPU: networks, sizes and goals. Plain data; knows no device."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratemlx.abi import Manifest, Precision
from ratemlx.runtime import Connectome, RunSpec
from ratemlx.runtime.spec import Job, prepare
from ratemlx.simulate import generated_folder

DENSE_REGIONS = 100


@dataclass(frozen=True)
class Work:
    """A sweep of `instances` for `steps` steps of 0.1 ms with noise, means over each ms on their way to the host.

    `regions` is None for the 68 regions of tvb-data; otherwise so many, every one joined with every other without
    delays. `goal` is in node-steps per second on an H200; `share_of` names a work of whose rate it is a part instead.
    """

    key: str
    title: str
    model: str
    instances: int
    steps: int = 50_000
    precision: Precision = "float32"
    regions: int | None = None
    goal: float | None = None
    share_of: str | None = None

    def shrunk(self, instances: int, steps: int) -> Work:
        """The same on less: for dry runs."""
        return replace(self, instances=min(self.instances, instances), steps=min(self.steps, steps))


WORKS = (
    Work("adex", "AdEx second order", "adex", 16_384, goal=1.0e10),
    Work("adex_64", "AdEx second order, few", "adex", 64, goal=0.15, share_of="adex"),
    Work("montbrio", "Montbrio, delayed", "montbrio", 16_384, goal=4.0e10),
    Work(
        "wong_wang",
        "Wong-Wang E-I, float64, dense, no delays",
        "wong_wang_exc_inh",
        32_768,
        precision="float64",
        regions=DENSE_REGIONS,
    ),
)
SPEED = 3.0
DT = 0.1
STEPS_PER_SAMPLE = 10


def dense_connectome(regions: int) -> Connectome:
    """Every region joined with every other, symmetric random weights, no lengths."""
    weights = np.random.default_rng(0).random((regions, regions))
    weights = weights + weights.T
    np.fill_diagonal(weights, 0)
    return Connectome(weights, np.zeros_like(weights), name=f"dense, {regions} regions")


def job_of(work: Work, steps: int) -> Job:
    """The checked run of a work, over its model's first parameter with a range; the first two exposures are kept."""
    # The folder is that of any CUDA device: the emulation's name needs no GPU to be looked up.
    folder = generated_folder(work.model, "cuda-emulation")
    manifest = Manifest.load(folder)
    swept = next(item for item in manifest.parameters if item.range is not None)
    assert swept.range is not None
    return prepare(
        RunSpec(
            folder=folder,
            connectome="tvb:68" if work.regions is None else dense_connectome(work.regions),
            sweep={swept.name: np.linspace(*swept.range, work.instances)},
            conduction_speed=SPEED,
            duration=steps * DT,
            dt=DT,
            period=STEPS_PER_SAMPLE * DT,
            precision=work.precision,
            observe=tuple(item.name for item in manifest.exposures[:2]),
            device="cuda-emulation",
        )
    )
