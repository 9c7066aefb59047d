"""What a run is to give beside the status of every instance: metrics, fitness, BOLD, and which time series are kept.

Knows what users ask for, checked when it is made; nothing of how it is computed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Literal

from ratemlx.errors import SweepError
from ratemlx.fitness import FitnessSettings, parse_terms
from ratemlx.fitness.ranking import BEST
from ratemlx.observables.settings import BoldSettings

KEEP_HINT = "all, none, best, or best:N"


@dataclass(frozen=True)
class Keep:
    """Which time series stay: those of all instances, of none, or of the best `count`."""

    which: Literal["all", "none", "best"]
    count: int = BEST


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What to compute of the samples after `transient` ms, and what to keep.

    `metrics` are names or groups of metrics, `plugins` files that define more. `fitness` ranks instances. `keep` is
    "all", "none", "best" or "best:N"; if None, all series are kept where nothing else is asked for, and none where
    metrics are. `keep_fc` keeps the functional connectivity of all instances, not only of the best. Windows of
    functional connectivity dynamics are `fcd_window` ms long and start every `fcd_step` ms.
    """

    metrics: tuple[str, ...] = ()
    plugins: tuple[Path, ...] = ()
    transient: float = 0.0
    fitness: FitnessSettings | None = None
    bold: BoldSettings | None = None
    keep: str | None = None
    keep_fc: bool = False
    fcd_window: float = 1000.0
    fcd_step: float = 100.0

    @property
    def computes(self) -> bool:
        """Whether anything is computed from samples."""
        return bool(self.metrics) or self.fitness is not None or self.bold is not None or self.keep_fc

    @property
    def kept(self) -> Keep:
        """Which series stay; raises SweepError for what cannot be meant."""
        if self.keep is None:
            return Keep("none" if self.metrics or self.fitness is not None or self.keep_fc else "all")
        found = re.fullmatch(r"(?P<which>all|none|best)(:(?P<count>\d{1,9}))?", str(self.keep))
        if found is None or (found["count"] is not None and found["which"] != "best"):
            raise SweepError(f"it is not clear which series to keep: {self.keep!r}", KEEP_HINT)
        count = int(found["count"] or BEST)
        if not count:
            raise SweepError("the best 0 instances cannot be kept", "write --keep none")
        if found["which"] == "best" and self.fitness is None:
            raise SweepError(
                "which instances are best is told by their fitness, and none is asked for", "add --fitness"
            )
        return Keep(found["which"], count)  # type: ignore[arg-type]


def parse_names(text: str) -> tuple[str, ...]:
    """Names separated by commas, each once."""
    names = (name.strip() for name in text.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def make_outputs(
    *,
    metrics: object = (),
    plugins: Sequence[Path] = (),
    transient: float = 0.0,
    bold: float | BoldSettings | None = None,
    keep: str | None = None,
    keep_fc: bool = False,
    fcd_window: float = 1000.0,
    fcd_step: float = 100.0,
    fitness: FitnessSettings | None = None,
) -> Outputs:
    """What callers ask for, put together and checked; raises SweepError for what cannot be meant."""
    for name, value in (("transient", transient), ("FCD window", fcd_window), ("FCD step", fcd_step)):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise SweepError(f"the {name} must be a number of ms; it is {value!r}")
    if not 0 < fcd_step <= fcd_window < math.inf:
        raise SweepError(
            f"windows of {fcd_window:g} ms every {fcd_step:g} ms cannot be had", "a step is at most as long as a window"
        )
    outputs = Outputs(
        metrics=tuple(dict.fromkeys(_names(metrics))),
        plugins=tuple(plugins),
        transient=float(transient),
        bold=bold if bold is None or isinstance(bold, BoldSettings) else BoldSettings(TR=bold),
        keep=keep,
        keep_fc=keep_fc,
        fcd_window=float(fcd_window),
        fcd_step=float(fcd_step),
        fitness=fitness,
    )
    _ = outputs.kept
    return outputs


def make_fitness(
    *,
    terms: object = None,
    reference: str | Path | None = None,
    reference_order: str | None = None,
    fcd: str | Path | None = None,
    phfcd: str | Path | None = None,
    similarity: str = "pearson",
    exposures: object = None,
) -> FitnessSettings | None:
    """What to rank instances by, or None where nothing asks for it; a reference alone does.

    `terms` are texts such as "FC" or "FCD=0.5", or a mapping from terms to weights. Raises MetricError.
    """
    files = [None if item is None else Path(item) for item in (reference, fcd, phfcd)]
    if terms is None and not any(files) and reference_order is None:
        return None
    texts = [f"{name}={weight}" for name, weight in terms.items()] if isinstance(terms, Mapping) else _names(terms)
    names, weights = parse_terms(texts)
    return FitnessSettings(
        terms=names,
        weights=weights,
        reference=files[0],
        reference_order=reference_order,
        fcd=files[1],
        phfcd=files[2],
        exposures=None if exposures is None else tuple(_names(exposures)),
        similarity=similarity,
    )


def _names(value: object) -> Sequence[str]:
    """Names from a text with commas, or from a list; raises SweepError for anything else."""
    if value is None:
        return ()
    if isinstance(value, str):
        return parse_names(value)
    if not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        raise SweepError(f"names are wanted; this is {value!r}")
    return value
