"""What hardware could do at best: the roofline of a kernel, from operations and bytes of a node-step.

Pure arithmetic. A node-step is one region of one instance advanced by one time step. Operations are counted by the
generator, or read from machine code (ratemlx.bench.sass); bytes follow from the layout of abi.h.
"""

from __future__ import annotations

from dataclasses import dataclass

from ratemlx.abi import Manifest, Precision
from ratemlx.cluster.hardware import Gpu
from ratemlx.runtime.plan import ITEM_BYTES

NOISE_OPERATIONS = 40
"""Operations of one normal number: a quarter of ten Philox rounds (about 25), and half a Box-Muller pair (about 15)."""


@dataclass(frozen=True)
class Network:
    """What a kernel is run on: sizes that operations and bytes of a node-step depend on."""

    n_regions: int
    n_edges: int
    n_observed: int
    block: int
    steps_per_sample: int
    precision: Precision = "float32"
    noise: bool = True

    @property
    def edges_per_region(self) -> float:
        """Delayed values that a node-step adds up."""
        return self.n_edges / self.n_regions


@dataclass(frozen=True)
class Roofline:
    """Node-steps per second that a GPU's arithmetic and its memory allow, from costs of a node-step."""

    operations: float
    bytes: float
    by_arithmetic: float
    by_memory: float

    @property
    def attainable(self) -> float:
        """The lower of the two."""
        return min(self.by_arithmetic, self.by_memory)

    @property
    def bound(self) -> str:
        """Which of the two it is."""
        return "arithmetic" if self.by_arithmetic <= self.by_memory else "memory"

    def share(self, rate: float) -> float:
        """Part of the attainable that a rate (node-steps/s) reaches."""
        return rate / self.attainable


def roofline(gpu: Gpu, precision: Precision, *, operations: float, bytes: float) -> Roofline:
    """A kernel's roofline on a GPU, from floating-point operations and bytes of a node-step.

    The arithmetic bound is the data sheet's peak, in which a fused multiply-add is two operations; count alike.
    """
    return Roofline(operations, bytes, gpu.peak(precision) / operations, gpu.bandwidth / bytes)


def counted_operations(manifest: Manifest, network: Network) -> float:
    """Operations of a node-step by the generator's own count, before a compiler fuses or expands anything.

    An exponential or a division counts as one, as do multiply and add; an edge is a multiply and an add.
    """
    drawn = NOISE_OPERATIONS * len(manifest.noises) if network.noise else 0
    return manifest.operations_per_step + 2 * manifest.channels * network.edges_per_region + drawn


def counted_roofline(gpu: Gpu, manifest: Manifest, network: Network) -> Roofline:
    """The roofline by the generator's count, every operation taken to hold a lane for a clock: nothing is fused."""
    operations = counted_operations(manifest, network)
    moved = node_step_bytes(manifest, network)
    return Roofline(operations, moved, gpu.instructions(network.precision) / operations, gpu.bandwidth / moved)


def node_step_bytes(manifest: Manifest, network: Network) -> float:
    """Bytes that a node-step moves, no delayed value being found in a cache.

    Delayed values dominate: one number per edge and step. States, sums and parameters pass once per block.
    """
    delayed = manifest.channels * network.edges_per_region
    per_block = 2 * len(manifest.state_variables) + 2 * network.n_observed + len(manifest.parameters)
    samples = network.n_observed / network.steps_per_sample
    numbers = delayed + manifest.channels + per_block / network.block + samples
    return ITEM_BYTES[network.precision] * numbers
