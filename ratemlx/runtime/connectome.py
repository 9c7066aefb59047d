"""The connectome: weights and tract lengths between regions, checked once so that nobody else has to.

Convention everywhere: `weights[i, j]` and `tract_lengths[i, j]` belong to the tract from region j to region i.
Knows nothing of files (see `connectome_files`) nor of kernels (see `edges`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from ratemlx.errors import ConnectomeError
from ratemlx.runtime.arrays import Floats, did_you_mean

Normalization = Literal["none", "max", "in-strength", "out-strength"]
NORMALIZATIONS: tuple[str, ...] = get_args(Normalization)

MAX_REGIONS = 10_000
MAX_LABEL = 200


@dataclass(frozen=True, eq=False)
class Connectome:
    """Regions and the tracts between them.

    `weights` and `tract_lengths` (mm) have shape (region, region), target first; a weight of zero is no tract.
    `region_labels` may be left out. Raises ConnectomeError when the parts do not fit together, hold numbers that
    are not finite, or lengths below zero.
    """

    weights: Floats
    tract_lengths: Floats
    region_labels: tuple[str, ...] = ()
    name: str = "connectome"

    def __post_init__(self) -> None:
        weights = _square(self.weights, "weights", self.name)
        lengths = _square(self.tract_lengths, "tract lengths", self.name)
        if weights.shape != lengths.shape:
            raise ConnectomeError(
                f"{self.name}: weights are for {len(weights)} regions, tract lengths for {len(lengths)}"
            )
        if (lengths < 0).any():
            target, source = np.argwhere(lengths < 0)[0]
            raise ConnectomeError(
                f"{self.name}: the tract length from region {source} to region {target} is negative"
                f" ({lengths[target, source]:g} mm)"
            )
        labels = tuple(_clean(label) for label in self.region_labels)
        if labels and len(labels) != len(weights):
            raise ConnectomeError(f"{self.name}: {len(labels)} region labels for {len(weights)} regions")
        # A frozen dataclass is filled through object; the arrays are copies that nobody can write to.
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "tract_lengths", lengths)
        object.__setattr__(self, "region_labels", labels or tuple(f"region_{i}" for i in range(len(weights))))

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.weights)

    @property
    def fingerprint(self) -> str:
        """A hash of weights, lengths and labels: equal if and only if the contents are."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.weights.tobytes())
        digest.update(self.tract_lengths.tobytes())
        digest.update("\0".join(self.region_labels).encode())
        return digest.hexdigest()

    def normalized(self, normalization: str) -> Connectome:
        """The same tracts with scaled weights; where there is nothing to divide by, weights stay.

        `max` divides by the largest weight, `in-strength` by what arrives at the target (row sums), `out-strength`
        by what leaves the source (column sums, as in van der Vlag et al. 2023); sums are of
        absolute weights. Raises ConnectomeError for any other name but `none`.
        """
        sizes = np.abs(self.weights)
        if normalization == "none":
            return self
        if normalization == "max":
            divisor = np.asarray(sizes.max())
        elif normalization == "in-strength":
            divisor = sizes.sum(axis=1, keepdims=True)
        elif normalization == "out-strength":
            divisor = sizes.sum(axis=0, keepdims=True)
        else:
            raise ConnectomeError(
                f"unknown normalization {normalization!r}", did_you_mean(normalization, NORMALIZATIONS)
            )
        return replace(self, weights=self.weights / np.where(divisor > 0, divisor, 1.0))


def check_size(regions: int, what: str, name: str) -> None:
    """Refuse a matrix that is empty or too large before any memory is spent on it."""
    if regions == 0:
        raise ConnectomeError(f"{name}: {what} are empty")
    if regions > MAX_REGIONS:
        raise ConnectomeError(f"{name}: {what} are for {regions:,} regions, more than the {MAX_REGIONS:,} supported")


def check_shape(shape: tuple[int, ...], what: str, name: str) -> None:
    """Refuse what is no square matrix, or one that is empty or too large."""
    if len(shape) != 2 or shape[0] != shape[1]:
        sizes = " x ".join(str(size) for size in shape) or "a single number"
        raise ConnectomeError(f"{name}: {what} are {sizes}, not a square matrix")
    check_size(shape[0], what, name)


def _square(values: object, what: str, name: str) -> Floats:
    try:
        matrix = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ConnectomeError(f"{name}: {what} are not numbers: {error}") from error
    check_shape(matrix.shape, what, name)
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        target, source = bad[0]
        raise ConnectomeError(
            f"{name}: {what} hold {matrix[target, source]} in row {target}, column {source} (counted from 0)",
            "write 0 where there is no tract",
        )
    matrix.setflags(write=False)
    return matrix


def _clean(label: object) -> str:
    """Labels end up in figures, files and terminals: nothing unprintable, nothing endless."""
    return "".join(char if char.isprintable() else "?" for char in str(label)[:MAX_LABEL])
