"""What a report says of a run in words: a sentence, key facts, and the record of how it came about.

Knows the names under which runs keep their provenance; whatever else is there is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratemlx.report.run import Run

LONGEST = 2_000
TOLD_ELSEWHERE = ("model", "description", "reference", "warnings", "notes", "swept", "complete", "catalogue", "sweeps")


@dataclass(frozen=True)
class Fact:
    """A number or a word with its name."""

    name: str
    text: str

    @property
    def is_detail(self) -> bool:
        """Whether it is an entry of a record within the record, which few will read."""
        return ": " in self.name


def lede(run: Run) -> str:
    """The sweep in one sentence."""
    count = f"{len(run.instances):,} instance{'s' if len(run.instances) != 1 else ''}"
    sizes = _sizes(run)
    if not sizes:
        return f"{count} at one point of the parameters."
    return f"{count} over {' x '.join(sizes)}."


def _sizes(run: Run) -> list[str]:
    """Names of what is swept, with numbers of values where every sweep says them."""
    values: dict[str, set[Any]] = {}
    for sweep in run.sweeps:
        for name, axis in sweep.axes.items():
            values.setdefault(name, set()).update(item for item in axis if isinstance(item, int | float | str))
    counts = {name: len(found) for name, found in values.items()}
    return [f"{name} ({counts[name]:,})" if name in counts else name for name in run.swept if counts.get(name) != 1]


def facts(run: Run) -> list[Fact]:
    """The facts that a reader asks for first; those that are unknown are left out."""
    record = run.provenance
    found = [
        Fact("instances", f"{len(run.instances):,}"),
        Fact("diverged", f"{int(run.diverged.sum()):,}"),
        Fact("connectome", _connectome(run)),
        Fact("simulated", _time(record.get("duration"), "ms")),
        Fact("step", _time(record.get("dt"), "ms")),
        Fact("integrator", str(record.get("integrator", ""))),
        Fact("precision", str(record.get("precision", ""))),
        Fact("noise", _noise(record)),
        Fact("device", str(record.get("device", ""))),
        Fact("date", str(record.get("date", "")).partition("+")[0].replace("T", " ")),
    ]
    return [fact for fact in found if fact.text]


def _connectome(run: Run) -> str:
    name = run.provenance.get("connectome", "")
    regions = f"{len(run.regions):,} regions" if run.regions else ""
    return ", ".join(part for part in (str(name), regions) if part)


def _time(value: Any, unit: str) -> str:
    return f"{value:,g} {unit}" if isinstance(value, int | float) else ""


def _noise(record: Mapping[str, Any]) -> str:
    if record.get("noise") is False:
        return "none"
    return f"seed {record['seed']}" if "seed" in record else ""


def warnings(run: Run) -> list[str]:
    """What the run warned of, and what else is to be known of its numbers."""
    told: list[str] = []
    for name in ("warnings", "notes"):
        found = run.provenance.get(name, ())
        told += [str(text) for text in found] if isinstance(found, list | tuple) else [str(found)]
    return told


def provenance_rows(run: Run) -> list[Fact]:
    """The whole record, a line for each entry; long texts are cut."""
    return [Fact(name, text[:LONGEST]) for name, text in _flat(run.provenance) if text]


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if not prefix and name in TOLD_ELSEWHERE:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}: ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield f"{prefix}{name}", " ".join(map(str, value))
        else:
            yield f"{prefix}{name}", "" if value is None else str(value)
