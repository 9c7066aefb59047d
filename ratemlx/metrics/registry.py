"""Which metrics there are: those built in, those of installed packages, those of plugin files; and choosing some.

A built-in one is any Metric that a module of `ratemlx.metrics` holds; adding a module is enough.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import ratemlx.metrics
from ratemlx.errors import MetricError, PluginError
from ratemlx.metrics.base import Metric
from ratemlx.runtime.arrays import did_you_mean

GROUP = "ratemlx.metrics"
ALL = "all"


@dataclass(frozen=True)
class MetricRegistry:
    """Metrics by name."""

    metrics: Mapping[str, Metric]

    def names(self) -> tuple[str, ...]:
        """All names, in alphabetical order."""
        return tuple(sorted(self.metrics))

    def groups(self) -> tuple[str, ...]:
        """Names of groups of metrics, `all` first."""
        return (ALL, *sorted({group for item in self.metrics.values() for group in item.groups}))

    def with_metrics(self, metrics: Iterable[Metric], origin: str) -> MetricRegistry:
        """A registry with more metrics; raises PluginError for a name that is taken."""
        merged = dict(self.metrics)
        taken = {output.name for item in merged.values() for output in item.outputs} | set(self.groups())
        for item in metrics:
            if merged.get(item.name) is item:
                continue
            names = {item.name, *(output.name for output in item.outputs)}
            clashes = sorted(names & (taken | set(merged)))
            if clashes:
                message = f"{origin} defines '{clashes[0]}', which exists already as a metric, an output or a group"
                raise PluginError(message, "choose another name")
            merged[item.name] = item
            taken |= {output.name for output in item.outputs}
        return MetricRegistry(merged)

    def select(self, names: Iterable[str]) -> tuple[Metric, ...]:
        """Metrics by their names, those of their outputs, or groups; each once, in the order of first mention.

        Raises MetricError, with the nearest names, for one that is unknown.
        """
        chosen: dict[str, Metric] = {}
        for name in names:
            found = self._named(name)
            if not found:
                outputs = [output.name for item in self.metrics.values() for output in item.outputs]
                raise MetricError(
                    f"there is no metric '{name}'", did_you_mean(name, [*self.groups(), *self.names(), *outputs])
                )
            chosen |= {item.name: item for item in found if item.name not in chosen}
        return tuple(chosen.values())

    def _named(self, name: str) -> list[Metric]:
        if name in self.metrics:
            return [self.metrics[name]]
        metrics = [self.metrics[key] for key in self.names()]
        return [
            item
            for item in metrics
            if name == ALL or name in item.groups or name in (output.name for output in item.outputs)
        ]


@cache
def builtin_registry() -> MetricRegistry:
    """The metrics that ratemlx brings along."""
    registry = MetricRegistry({})
    for info in pkgutil.iter_modules(ratemlx.metrics.__path__):
        module = importlib.import_module(f"ratemlx.metrics.{info.name}")
        registry = registry.with_metrics(defined_in(module), module.__name__)
    return registry


def default_registry(plugin_files: Sequence[Path] = ()) -> MetricRegistry:
    """Built-in metrics, those of installed packages, and those of plugin files; raises PluginError."""
    from ratemlx.plugins import holds_extension, installed_objects, load_file

    registry = builtin_registry()
    for origin, found in installed_objects(GROUP):
        if not isinstance(found, ModuleType | Metric):
            raise PluginError(f"{origin} is neither a Metric nor a module", "use the decorator ratemlx.metrics.metric")
        registry = registry.with_metrics(defined_in(found) if isinstance(found, ModuleType) else (found,), origin)
    for path in plugin_files:
        module = load_file(Path(path))
        if not holds_extension(module):
            raise PluginError(f"{path} defines no metric", "use the decorator ratemlx.metrics.metric")
        registry = registry.with_metrics(defined_in(module), str(path))
    return registry


def select(names: Iterable[str], plugin_files: Sequence[Path] = ()) -> tuple[Metric, ...]:
    """Metrics by names of metrics, outputs or groups ("table2", "all"); raises MetricError or PluginError."""
    return default_registry(plugin_files).select(names)


def defined_in(module: ModuleType) -> tuple[Metric, ...]:
    """The metrics that a module holds, each once."""
    found = [value for value in vars(module).values() if isinstance(value, Metric)]
    return tuple({id(item): item for item in found}.values())
