"""Invariants of a program, checked between passes: a breach is a bug of a pass, never of a model."""

from __future__ import annotations

from ratemlx.errors import InternalError
from ratemlx.passes.assemble import active_couplings, sum_name
from ratemlx.passes.program import Program, Segment, free_names


def verify_program(program: Program, *, transfer_results: bool = False) -> None:
    """Raise InternalError if a name is used before it is set, set twice, or unknown.

    `transfer_results` allows the symbols that stand for transfer functions before they are written out.
    """
    model = program.model
    fixed = {item.name for item in model.parameters} | {item.name for item in model.constants} | {"dt", "n_node"}
    states = {item.name for item in model.state_variables}
    couplings = active_couplings(model)
    inputs = {
        "prepare": set(),
        "channels": states,
        "edges": states | {name for name, _ in program.channels.results},
        "couple": states | {sum_name(item) for item in couplings},
        "derivatives": states | {item.name for item in model.couplings} | {item.name for item in model.inputs},
        "noise": set(),
        "observe": states,
    }
    uses = {item.name for item in model.transfer_uses} if transfer_results else set()
    fixed |= _check(program.prepare, "prepare", fixed, uses)
    for name, segment in program.segments().items():
        if name != "prepare":
            _check(segment, name, fixed | inputs[name], uses)


def _check(segment: Segment, name: str, known: set[str], uses: set[str]) -> set[str]:
    """Check one segment; gives the names it sets."""
    known = set(known)
    own: set[str] = set()
    for line in segment.lines:
        _check_known(free_names([line.expression]), known, uses, f"{name}: {line.name}")
        if line.name in known:
            raise InternalError(f"{name} sets {line.name!r}, which has a value already")
        known.add(line.name)
        own.add(line.name)
    for result, expression in segment.results:
        _check_known(free_names([expression]), known, uses, f"{name}: result {result}")
    return own


def _check_known(names: set[str], known: set[str], uses: set[str], place: str) -> None:
    unknown = {item for item in names - known if not _is_transfer_result(item, uses)}
    if unknown:
        raise InternalError(f"{place} uses {', '.join(sorted(unknown))} without a value")


def _is_transfer_result(name: str, uses: set[str]) -> bool:
    plain = name.removeprefix("diff(").partition(",")[0].partition(".")[0]
    return plain in uses
