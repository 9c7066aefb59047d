"""The table of metrics in the documentation, made from the registry. Knows metrics, no recording."""

from __future__ import annotations

from collections.abc import Iterable

from ratemlx.metrics.base import SIGNAL, Metric

HEADER = "| metric | output | unit | meaning |\n| --- | --- | --- | --- |"


def markdown(metrics: Iterable[Metric]) -> str:
    """A table of all outputs, and below it the definition of each metric."""
    listed = sorted(metrics, key=lambda item: ("table2" not in item.groups, item.name))
    return f"{table(listed)}\n\n{definitions(listed)}"


def table(metrics: Iterable[Metric]) -> str:
    """One row for each output; regional ones say so."""
    rows = []
    for metric in metrics:
        for number, output in enumerate(metric.outputs):
            name = f"`{metric.name}`" if number == 0 else ""
            meaning = output.description + (", for each region" if output.regional else "")
            rows.append(f"| {name} | `{output.name}` | {output.unit.replace(SIGNAL, 'Hz')} | {meaning} |")
    return "\n".join([HEADER, *rows])


def definitions(metrics: Iterable[Metric]) -> str:
    """What each metric is, what it needs, and its source."""
    parts = []
    for metric in metrics:
        needs = {"series": "the time series", "fc": "functional connectivity", "statistics": "means and variances"}
        facts = [f"Needs {needs[metric.needs]}"]
        if metric.needs_ms:
            facts.append(f"at least {metric.needs_ms:g} ms")
        if metric.needs_rate:
            facts.append("of a rate")
        groups = ", ".join(f"`{group}`" for group in metric.groups)
        if groups:
            facts.append(f"in {groups}")
        text = metric.definition.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
        parts.append(
            f"**`{metric.name}`**: {metric.description} {text}\n{', '.join(facts)}. Source: {metric.reference}."
        )
    return "\n\n".join(parts)
