"""Order statements so that each uses earlier ones only."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def in_order(uses: Mapping[str, Collection[str]]) -> tuple[list[str], list[str] | None]:
    """Names so that those that a name uses come before it, else as given; and a cycle, if there is one.

    `uses` maps each name to the names that it uses; others than its keys are ignored. A cycle is listed from a name
    back to itself, and its names are missing in the order.
    """
    ordered: dict[str, None] = {}
    remaining = {name: [item for item in used if item in uses] for name, used in uses.items()}
    while remaining:
        ready = [name for name, used in remaining.items() if all(item in ordered for item in used)]
        if not ready:
            return list(ordered), _cycle(remaining, ordered)
        first = ready[0]
        ordered[first] = None
        del remaining[first]
    return list(ordered), None


def _cycle(remaining: Mapping[str, list[str]], ordered: Collection[str]) -> list[str]:
    """Follow uses from the first name until one comes twice."""
    path: list[str] = []
    name = next(iter(remaining))
    while name not in path:
        path.append(name)
        name = next(item for item in remaining[name] if item not in ordered)
    return [*path[path.index(name) :], name]
