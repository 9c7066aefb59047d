"""What fitness is to be made of, as a user says it; checked when it is made.

Knows names and paths; opens no file but to hash it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from ratemlx.errors import MetricError
from ratemlx.fitness.similarity import SIMILARITIES
from ratemlx.runtime.arrays import did_you_mean
from ratemlx.runtime.untrusted import readable

TERMS = {
    "FC_SC": "similarity of functional connectivity with the connectome's weights",
    "FC": "similarity of functional connectivity with that of the reference",
    "FCD": "1 - Kolmogorov-Smirnov distance of functional connectivity dynamics to the reference's",
    "phFCD": "1 - Kolmogorov-Smirnov distance of the dynamics of phase coherence to the reference's",
}
"""What fitness can be made of. The larger, the fitter; 1 is the most that there can be."""

HASHED_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class FitnessSettings:
    """Terms and their weights, and the files that they compare with.

    No `terms` means those that there are references for, FC_SC where there are none. `weights` belong to the terms in
    their order (none: all equal). `reference` is a matrix of functional connectivity and `reference_order` says which
    region each of its rows is (see `order.region_order`); `fcd` and `phfcd` are files of values. `exposures` are those
    that fitness is taken of (None: all). `similarity` names how matrices are compared, off the diagonal unless
    `diagonal` is set.
    """

    terms: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    reference: Path | None = None
    reference_order: str | None = None
    fcd: Path | None = None
    phfcd: Path | None = None
    exposures: tuple[str, ...] | None = None
    similarity: str = "pearson"
    diagonal: bool = False

    def __post_init__(self) -> None:
        for name in self.terms:
            if name not in TERMS:
                raise MetricError(f"fitness has no term '{name}'", did_you_mean(name, TERMS))
        if len(set(self.terms)) < len(self.terms):
            raise MetricError(f"fitness has a term twice: {', '.join(self.terms)}", "give it a weight instead")
        if self.weights and len(self.weights) != len(self.chosen):
            raise MetricError(f"fitness has {len(self.weights)} weights for {len(self.chosen)} terms")
        for weight in self.weights:
            if not (math.isfinite(weight) and weight > 0):
                raise MetricError(f"a weight of fitness must be a number above zero; one is {weight:g}")
        if self.similarity not in SIMILARITIES:
            hint = did_you_mean(self.similarity, SIMILARITIES)
            raise MetricError(f"there is no similarity '{self.similarity}'", hint)
        for term, given, what in (
            ("FC", self.reference, "a reference FC matrix"),
            ("FCD", self.fcd, "values of a reference FCD"),
            ("phFCD", self.phfcd, "values of a reference phFCD"),
        ):
            if term in self.terms and given is None:
                option = {"FC": "--reference", "FCD": "--reference-fcd", "phFCD": "--reference-phfcd"}[term]
                raise MetricError(f"the fitness term {term} needs {what}", f"add {option} FILE")
            if given is not None and term not in self.chosen:
                hint = f"add the term {term}, or leave the reference out"
                raise MetricError(f"{given.name} is given for fitness, and no term compares with it", hint)
        if self.reference_order is not None and self.reference is None:
            raise MetricError("an order of regions is given for a reference, but no reference")

    @property
    def chosen(self) -> tuple[str, ...]:
        """The terms, also where none was named."""
        given = (("FC", self.reference), ("FCD", self.fcd), ("phFCD", self.phfcd))
        return self.terms or tuple(term for term, path in given if path is not None) or ("FC_SC",)

    @property
    def shares(self) -> tuple[float, ...]:
        """What each term counts of the whole."""
        weights = self.weights or (1.0,) * len(self.chosen)
        return tuple(weight / sum(weights) for weight in weights)

    @property
    def fingerprint(self) -> str:
        """A hash of all settings and of the contents of all files; raises MetricError for one that cannot be read."""
        digest = hashlib.blake2b(digest_size=16)
        for item in fields(self):
            value = getattr(self, item.name)
            digest.update(f"{item.name}={'' if isinstance(value, Path) else value!r};".encode())
        for path in self._files():
            with readable(path.name, MetricError), path.open("rb") as stream:
                while piece := stream.read(HASHED_BYTES):
                    digest.update(piece)
        return digest.hexdigest()

    def _files(self) -> list[Path]:
        order = Path(self.reference_order.partition(":")[0]) if self.reference_order else None
        named = [self.reference, self.fcd, self.phfcd, order if order is not None and order.is_file() else None]
        return [path for path in named if path is not None]


def parse_terms(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Terms and weights from texts such as "FC" and "FCD=0.5"; raises MetricError for a weight that is no number."""
    names, weights = [], []
    for text in texts:
        name, _, weight = text.partition("=")
        try:
            weights.append(float(weight) if weight.strip() else 1.0)
        except ValueError:
            raise MetricError(f"the weight of the fitness term {text[:40]!r} is not a number", "NAME=WEIGHT") from None
        names.append(name.strip())
    return tuple(names), tuple(weights)
