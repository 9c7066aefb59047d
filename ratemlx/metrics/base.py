"""What a metric is: a named map from a recording to numbers, one for each instance or one for each region of it.

Knows recordings and nothing of simulations, files or databases.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ratemlx.errors import PluginError
from ratemlx.metrics.arrays import Array
from ratemlx.metrics.recording import Recording

Needs = Literal["series", "fc", "statistics"]
Body = Callable[[Recording], Mapping[str, Array]]

SIGNAL = "{x}"
"""Stands in an output's unit for the unit of the exposure, which is Hz for every rate."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class Output:
    """One number that a metric gives for each instance or, if `regional`, for each region of each instance.

    In `unit`, `{x}` stands for the unit of the exposure; "1" is a pure number.
    """

    name: str
    unit: str = "1"
    description: str = ""
    regional: bool = False

    def unit_for(self, unit: str) -> str:
        """The unit of this output for an exposure of the given unit."""
        return self.unit.replace(SIGNAL, unit or "1")


@dataclass(frozen=True)
class Metric:
    """A function from a recording to its outputs by name.

    `needs` says what a run must keep for it. A recording of fewer samples than `needs_samples`, or shorter than
    `needs_ms`, has no value, which becomes NaN. An exposure that is no rate has no columns of one that `needs_rate`.
    """

    ratemlx_extension: ClassVar[str] = "metric"
    name: str
    function: Body
    outputs: tuple[Output, ...]
    needs: Needs = "series"
    needs_ms: float = 0.0
    needs_samples: int = 1
    needs_rate: bool = False
    groups: tuple[str, ...] = ()
    description: str = ""
    definition: str = ""
    reference: str = ""

    def samples_needed(self, period: float) -> int:
        """The fewest samples, `period` ms apart, of which this metric has a value; 0 if it needs no series."""
        if self.needs != "series":
            return 0
        return max(self.needs_samples, math.ceil(round(self.needs_ms / period, 9)))


def metric(
    *,
    outputs: Sequence[Output | str],
    needs: Needs = "series",
    needs_ms: float = 0.0,
    needs_samples: int = 1,
    needs_rate: bool = False,
    groups: Sequence[str] = (),
    name: str | None = None,
    reference: str = "",
) -> Callable[[Body], Metric]:
    """Decorator that turns a function of a Recording into a Metric of the same name.

    The function returns a mapping of output name to an array (instance,), or (instance, region) for regional outputs.
    Its docstring's first line is the description, the rest the definition. Raises PluginError for bad names.
    """
    given = tuple(Output(item) if isinstance(item, str) else item for item in outputs)

    def decorate(body: Body) -> Metric:
        description, _, definition = (inspect.getdoc(body) or "").partition("\n")
        made = Metric(
            name=name or body.__name__,
            function=body,
            outputs=given,
            needs=needs,
            needs_ms=needs_ms,
            needs_samples=needs_samples,
            needs_rate=needs_rate,
            groups=tuple(groups),
            description=description.strip(),
            definition=" ".join(definition.split()),
            reference=reference,
        )
        _check(made)
        return made

    return decorate


def _check(made: Metric) -> None:
    names = [made.name, *made.groups, *(item.name for item in made.outputs)]
    for name in names:
        if not _NAME.fullmatch(name):
            hint = "a name begins with a letter; letters, digits and '_' follow"
            raise PluginError(f"metric '{made.name}': '{name}' is no name", hint)
    outputs = [item.name for item in made.outputs]
    if not outputs:
        raise PluginError(f"metric '{made.name}' has no output")
    if len(set(outputs)) < len(outputs):
        raise PluginError(f"metric '{made.name}' names an output twice: {', '.join(outputs)}")
    if made.needs not in ("series", "fc", "statistics"):
        raise PluginError(f"metric '{made.name}' needs '{made.needs}'", "needs is one of series, fc, statistics")
