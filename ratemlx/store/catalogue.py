"""What the columns of a run's database are: parameters, metrics and regions, with units, and their names in SQL.

Names in SQL do not tell upper from lower case, and some are taken; a name that is not free is changed by one rule.
Knows names and texts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from ratemlx.errors import ResultError

TAKEN = ("instance", "seed", "status", "diverged_at", "region", "rowid", "oid", "_rowid_")
MAX_COLUMNS = 1_900
"""SQLite takes 2,000."""


@dataclass(frozen=True)
class ParameterEntry:
    """A parameter of the model."""

    name: str
    unit: str = ""
    description: str = ""
    default: float | None = None


@dataclass(frozen=True)
class MetricEntry:
    """A column of results: one number per instance, or one per instance and region."""

    column: str
    metric: str = ""
    exposure: str = ""
    unit: str = ""
    description: str = ""
    regional: bool = False


Entry = TypeVar("Entry", ParameterEntry, MetricEntry)


@dataclass(frozen=True)
class Ranking:
    """Which instances keep their arrays in the database: the best `count` by a metric, largest first unless told.

    Arrays whose names are in `of_all` stay for all instances.
    """

    column: str
    count: int = 10
    largest: bool = True
    of_all: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All columns of a run. `seed` belongs to every instance; without `ranking`, all arrays go into the database."""

    parameters: tuple[ParameterEntry, ...]
    metrics: tuple[MetricEntry, ...] = ()
    regions: tuple[str, ...] = ()
    seed: int = 0
    ranking: Ranking | None = None
    names: Mapping[str, str] = field(init=False, compare=False, repr=False)
    """Column in SQL of every parameter ("parameter:NAME") and metric ("metric:NAME")."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _column_names(self))
        if self.ranking is not None and f"metric:{self.ranking.column}" not in self.names:
            raise ResultError(f"instances cannot be ranked by {self.ranking.column!r}, which is not computed")
        if len(self.parameters) + len(self.metrics) > MAX_COLUMNS:
            raise ResultError(f"the database would have more than {MAX_COLUMNS:,} columns", "choose fewer metrics")

    def parameter_column(self, name: str) -> str:
        """Column in SQL of a parameter."""
        return self.names[f"parameter:{name}"]

    def metric_column(self, column: str) -> str:
        """Column in SQL of a metric."""
        return self.names[f"metric:{column}"]

    def of_metrics(self, *, regional: bool) -> tuple[MetricEntry, ...]:
        """Metrics with one number per instance, or those with one per region."""
        return tuple(item for item in self.metrics if item.regional == regional)

    def to_json(self) -> dict[str, Any]:
        """As run.json has it."""
        return {
            "parameters": [asdict(item) for item in self.parameters],
            "metrics": [asdict(item) for item in self.metrics],
            "regions": list(self.regions),
            "seed": self.seed,
            "ranking": None if self.ranking is None else asdict(self.ranking),
        }

    @classmethod
    def from_json(cls, data: Any) -> Catalogue:
        """What `to_json` gave; raises ValueError, which says where, for anything else."""
        part = "the parameters in its catalogue"
        try:
            parameters = tuple(_entry(ParameterEntry, item) for item in data["parameters"])
            part = "the metrics in its catalogue"
            metrics = tuple(_entry(MetricEntry, item) for item in data["metrics"])
            part = "the regions, seed or ranking in its catalogue"
            ranking = None if data["ranking"] is None else _ranking(**data["ranking"])
            return cls(parameters, metrics, tuple(str(label) for label in data["regions"]), int(data["seed"]), ranking)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ResultError) as error:
            raise ValueError(f"{part} cannot be understood") from error

    def changed(self, other: Catalogue) -> list[str]:
        """What another catalogue has that this one has not, and the other way round, in words."""
        words = []
        for kind, mine, theirs in (
            ("parameters", [i.name for i in self.parameters], [i.name for i in other.parameters]),
            ("metrics", [i.column for i in self.metrics], [i.column for i in other.metrics]),
            ("regions", list(self.regions), list(other.regions)),
            ("seed", [str(self.seed)], [str(other.seed)]),
            ("ranking", [str(self.ranking)], [str(other.ranking)]),
        ):
            if mine != theirs:
                named = ", ".join(sorted(set(mine) ^ set(theirs))[:6])
                words.append(f"{kind} ({named})" if named else f"the order of {kind}")
        return words


def _entry(kind: type[Entry], item: Any) -> Entry:
    """An entry of which every value is of the kind that it should be; raises TypeError."""
    made = kind(**item)
    for about in fields(kind):
        value = getattr(made, about.name)
        wanted = {"str": str, "bool": bool}.get(str(about.type))
        if wanted is None and value is not None:
            value, wanted = float(value), float
        if wanted is not None and not isinstance(value, wanted):
            raise TypeError(about.name)
    return made


def _ranking(of_all: Sequence[str] = (), **parts: Any) -> Ranking:
    return Ranking(of_all=tuple(map(str, of_all)), **parts)


def quoted(name: str) -> str:
    """A name for SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _column_names(catalogue: Catalogue) -> dict[str, str]:
    """Metrics keep their names where these are free; parameters of the same name become parameter_NAME."""
    used = {name.lower() for name in TAKEN}
    found: dict[str, str] = {}
    for item in catalogue.metrics:
        found[f"metric:{item.column}"] = _free(item.column, "metric_", used)
    for parameter in catalogue.parameters:
        found[f"parameter:{parameter.name}"] = _free(parameter.name, "parameter_", used)
    return found


def _free(name: str, prefix: str, used: set[str]) -> str:
    """The name, with a prefix if it is taken, and a number if that is taken too."""
    wanted = name.replace("\0", "")
    candidates = [wanted, f"{prefix}{wanted}", *(f"{prefix}{wanted}_{count}" for count in range(2, len(used) + 3))]
    chosen = next(item for item in candidates if item and item.lower() not in used)
    used.add(chosen.lower())
    return chosen
