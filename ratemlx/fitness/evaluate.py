"""Fitness of instances: terms put together, checked against a connectome before anything runs.

Every term is a metric like any other, whose reference is part of it. Knows recordings and references.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ratemlx.errors import MetricError
from ratemlx.fitness.reference import FCReference, load_fc, load_values
from ratemlx.fitness.settings import TERMS, FitnessSettings
from ratemlx.fitness.terms import compared_entries, matrix_term
from ratemlx.metrics import Column, Metric, Recording, evaluate, select
from ratemlx.metrics.evaluate import Each, one_by_one
from ratemlx.runtime.arrays import Floats, did_you_mean

TOTAL = "fitness"
DISTANCES = {"FCD": "KS_FCD", "phFCD": "KS_phFCD"}
"""Terms that are one less a metric's output."""
LARGEST_EXCESS = 1e-3
"""By which rounding may carry a correlation beyond 1."""


@dataclass(frozen=True, eq=False)
class Fitness:
    """What to compute of which exposures. `references` are values that recordings must be given, by name.

    `notes` tell people what they might not expect. `matrix_terms` has, for each exposure, those that compare matrices.
    """

    settings: FitnessSettings
    exposures: tuple[str, ...]
    references: Mapping[str, Floats]
    notes: tuple[str, ...]
    matrix_terms: Mapping[str, tuple[Metric, ...]]
    distance_metrics: tuple[Metric, ...]
    reference: FCReference | None = None

    def reference_matrices(self, n_regions: int) -> dict[str, Floats]:
        """What FC is compared with, by exposure: (region, region), NaN for regions that the reference has not."""
        if self.reference is None:
            return {}
        place = np.ix_(self.reference.regions, self.reference.regions)
        found = {name: np.full((n_regions, n_regions), np.nan) for name in self.exposures}
        for index, matrix in enumerate(found.values()):
            matrix[place] = self.reference.matrix(index)
        return found

    @property
    def needs_series(self) -> bool:
        """Whether time series are needed; functional connectivity is not enough then."""
        return bool(self.distance_metrics)

    def columns(self) -> tuple[Column, ...]:
        """The columns of `evaluate`: the whole first, then each term of each exposure."""
        count = len(self.exposures)
        chosen, shares = self.settings.chosen, self.settings.shares
        told = " + ".join(f"{share:.3g} {name}" for name, share in zip(chosen, shares, strict=True))
        whole = _sentence(chosen[0]) if len(chosen) == 1 else f"Weighted mean of terms: {told}"
        if count > 1:
            whole += f", {'' if len(chosen) == 1 else 'each '}the mean of {count} exposures"
        parts = (
            Column(f"{TOTAL}_{term}_{exposure}", TOTAL, f"{TOTAL}_{term}", exposure, "1", _sentence(term), False)
            for exposure in self.exposures
            for term in self.settings.chosen
        )
        return (Column(TOTAL, TOTAL, TOTAL, "", "1", whole, False), *parts)

    def evaluate(self, recordings: Mapping[str, Recording], *, each: Each = one_by_one) -> dict[str, Floats]:
        """Values (instance,) by column, for recordings by exposure; NaN where a term is not defined.

        Raises MetricError if an exposure is missing, or if a term needs a series that was not kept.
        """
        found: dict[str, Floats] = {}
        for exposure in self.exposures:
            if exposure not in recordings:
                raise MetricError(f"fitness is taken of {exposure}, which was not recorded")
            recording = recordings[exposure]
            chosen = (*self.matrix_terms[exposure], *self.distance_metrics)
            values = evaluate(chosen, {exposure: recording}, each=each).columns
            for term in self.settings.chosen:
                column = f"{TOTAL}_{term}_{exposure}"
                if term in DISTANCES:
                    found[column] = 1.0 - values[f"{DISTANCES[term]}_{exposure}"]
                else:
                    found[column] = values[column]
        return {TOTAL: self._total(found), **found}

    def _total(self, found: Mapping[str, Floats]) -> Floats:
        """Weighted mean of terms, of which each is the mean over exposures."""
        total: Floats = np.zeros_like(next(iter(found.values())))
        for term, share in zip(self.settings.chosen, self.settings.shares, strict=True):
            values = [found[f"{TOTAL}_{term}_{exposure}"] for exposure in self.exposures]
            total = total + share * np.mean(values, axis=0)
        return total


def prepare(
    settings: FitnessSettings,
    weights: Floats,
    tract_lengths: Floats,  # noqa: ARG001
    labels: Sequence[str],
    recorded: Sequence[str],
) -> Fitness:
    """Read and check all that fitness needs, for a connectome and the exposures that are `recorded`.

    `weights` are the connectome's raw ones, (region, region). Raises MetricError for what does not fit.
    """
    exposures = _exposures(settings, recorded)
    reference = None
    if "FC" in settings.chosen:
        assert settings.reference is not None
        reference = load_fc(settings.reference, settings.reference_order, labels, exposures)
    references = {
        name: load_values(path)
        for name, path in (("FCD", settings.fcd), ("phFCD", settings.phfcd))
        if name in settings.chosen and path is not None
    }
    distances = [DISTANCES[term] for term in settings.chosen if term in DISTANCES]
    return Fitness(
        settings,
        exposures,
        references,
        tuple(_notes(settings, reference, len(labels))),
        {name: _matrix_terms(settings, weights, reference, index) for index, name in enumerate(exposures)},
        select(distances) if distances else (),
        reference,
    )


def _exposures(settings: FitnessSettings, recorded: Sequence[str]) -> tuple[str, ...]:
    if settings.exposures is None:
        return tuple(recorded)
    for name in settings.exposures:
        if name not in recorded:
            raise MetricError(f"fitness is asked of {name}, which is not recorded", did_you_mean(name, recorded))
    if not settings.exposures:
        raise MetricError("fitness needs at least one exposure", f"there are: {', '.join(recorded)}")
    return settings.exposures


def _matrix_terms(
    settings: FitnessSettings, weights: Floats, reference: FCReference | None, index: int
) -> tuple[Metric, ...]:
    """Those of one exposure, whose place among the exposures is `index`."""
    terms = []
    for name in settings.chosen:
        if name in DISTANCES:
            continue
        rows, target = np.arange(len(weights)), weights
        if name == "FC":
            assert reference is not None
            rows, target = reference.regions, reference.matrix(index)
        entries = compared_entries(len(rows), diagonal=settings.diagonal)
        if np.ptp(target[entries]) == 0:
            raise MetricError(f"the fitness term {name} has nothing to compare with: all entries are the same")
        terms.append(matrix_term(f"{TOTAL}_{name}", TERMS[name], settings.similarity, rows, entries, target))
    return tuple(terms)


def _notes(settings: FitnessSettings, reference: FCReference | None, n_regions: int) -> list[str]:
    compared = [name for name in settings.chosen if name not in DISTANCES]
    notes = []
    if compared and settings.diagonal:
        notes.append(
            "fitness compares diagonals too; all are 1 in functional connectivity, which raises it whatever the rest"
        )
    elif compared:
        notes.append("fitness compares matrices off their diagonals")
    if reference is not None and float(np.abs(reference.values).max()) > 1 + LARGEST_EXCESS:
        notes.append(f"{reference.name} holds values beyond -1 and 1, which correlations do not: is it a covariance?")
    if reference is not None and len(reference.regions) < n_regions:
        notes.append(f"{reference.name} has {len(reference.regions)} of {n_regions} regions; the others are left out")
    return notes


def _sentence(term: str) -> str:
    return TERMS[term][0].upper() + TERMS[term][1:]
