"""The coupling between regions as the methods `pre` and `post` of a TVB class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count

import sympy as sp

from ratemlx.errors import RatemlxError
from ratemlx.ir.model import TIME_STEP, TOTAL, Coupling, Model
from ratemlx.passes.assemble import active_couplings, names_read, source_lines, sum_name
from ratemlx.passes.bind import bind_use
from ratemlx.passes.differentiate import expand_segment
from ratemlx.passes.program import Line, Segment, free_names, symbol
from ratemlx.passes.share import SHARED_PREFIX, share_segment
from ratemlx.targets.python_printer import NumpyPrinter
from ratemlx.targets.python_text import assignment
from ratemlx.targets.tvb_attributes import Attribute, attributes_of, over_attributes
from ratemlx.targets.tvb_names import local_names

N_NODE = "n_node"
"""What the language calls the number of regions."""


@dataclass(frozen=True)
class CouplingText:
    """Attributes, what `pre` reads, the statements of both methods, and the functions of SciPy that they call."""

    attributes: tuple[Attribute, ...]
    inputs: tuple[str, ...]
    pre: tuple[str, ...]
    post: tuple[str, ...]
    functions: tuple[str, ...]


def coupling_variables(model: Model) -> tuple[str, ...]:
    """State variables with a history, row by row.

    Sources come first, in the order of the terms, so that a linear coupling of TVB's own fits too. TVB has a sum for
    each row and no more, so that with more terms than state variables to read, the first one is repeated.
    """
    terms = active_couplings(model)
    states = [item.name for item in model.state_variables]
    rows = [state for item in terms for _, state in item.sources]
    rows += [name for name in states if any(name in names_read(model, item) for item in terms)]
    rows = list(dict.fromkeys(rows)) or states[:1]
    return (*rows, *(rows[:1] * (len(terms) - len(rows))))


def coupling_text(model: Model) -> CouplingText:
    """Print a model's coupling.

    Raises RatemlxError if it depends on what TVB does not tell a coupling.
    """
    terms = active_couplings(model)
    segment = _pre(model, terms)
    pre = segment.expressions()
    post = tuple((item.name, over_attributes(model, _of_sum(item))) for item in terms)
    after_sum = [value for _, value in post]
    _check(model, pre, after_sum)
    used = free_names([*pre, *after_sum])
    attributes = tuple(item for item in attributes_of(model) if item.matches(used))
    own = {name: text for item in attributes for name, text in item.texts("self").items()}
    inputs, names = _inputs(model, free_names(pre), [line.name for line in segment.lines])
    sums = {sum_name(item): f"gx[{place}]" for place, item in enumerate(terms)} | {N_NODE: "gx.shape[1]"}
    lines = tuple(_statements("pre", segment, {**own, **names}))
    after = tuple(_statements("coupling", Segment((), post), {**own, **sums}))
    special = {f"{name}(": name for name in ("erf", "erfc")}
    called = {name for mark, name in special.items() for line in (*lines, *after) if mark in line}
    return CouplingText(attributes, tuple(inputs), lines, after, tuple(sorted(called)))


def _pre(model: Model, terms: tuple[Coupling, ...]) -> Segment:
    """What an edge carries for each term, transfer functions written out as statements before."""
    lines: dict[str, Line] = {}
    for item in terms:
        delayed = {local: _delayed(state) for local, state in item.sources}
        lines |= {line.name: line for line in source_lines(model, item, delayed)}
    segment = Segment(tuple(lines.values()), tuple((item.name, _over_states(item)) for item in terms))
    segment = expand_segment(segment, [bind_use(use, {}, {}) for use in model.transfer_uses])
    segment = segment.map(lambda expression: over_attributes(model, expression))
    names = (f"{SHARED_PREFIX}{number}" for number in count())
    return share_segment(segment, names) if segment.lines else segment


def _over_states(coupling: Coupling) -> sp.Expr:
    return coupling.pre.xreplace({symbol(name): symbol(_delayed(state)) for name, state in coupling.sources})


def _delayed(state: str) -> str:
    return f"{state}, delayed"


def _of_sum(coupling: Coupling) -> sp.Expr:
    own = symbol(sum_name(coupling))
    if symbol(TOTAL) in coupling.post.free_symbols:
        return coupling.factor * coupling.post.xreplace({symbol(TOTAL): own})
    return coupling.factor * coupling.post * own


def _check(model: Model, pre: Iterable[sp.Expr], post: Iterable[sp.Expr]) -> None:
    states = {item.name for item in model.state_variables}
    unknown = free_names([*pre, *post]) & {TIME_STEP} or free_names(pre) & {N_NODE} or free_names(post) & states
    if unknown:
        name = min(unknown)
        place = "'post'" if name in states else "'pre'" if name == N_NODE else "a coupling"
        raise RatemlxError(
            f"the coupling of {model.name} depends on {name}, which TVB does not tell {place}",
            "use a Constant for it, move it to the dynamics, or choose another target",
        )


def _inputs(model: Model, used: set[str], more: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Variables that `pre` reads from its arrays, delayed ones by the names that the model gives them.

    The names, but not the statements, of `more` variables are among what is returned.
    """
    rows = list(dict.fromkeys(coupling_variables(model)))
    given = {state: local for item in reversed(active_couplings(model)) for local, state in item.sources}
    now = [name for name in rows if name in used]
    delayed = [name for name in rows if _delayed(name) in used]
    chosen = local_names([*now, *(given[name] for name in delayed), *more])
    names = {name: chosen[name] for name in (*now, *more)} | {_delayed(name): chosen[given[name]] for name in delayed}
    lines = [f"{names[name]} = x_i[{rows.index(name)}]" for name in now]
    lines += [f"{names[_delayed(name)]} = x_j[{rows.index(name)}]" for name in delayed]
    return lines, names


def _statements(array: str, segment: Segment, names: Mapping[str, str]) -> Iterable[str]:
    printer = NumpyPrinter(names)
    for line in segment.lines:
        yield assignment(names[line.name], printer.print(line.expression), 2)
    for place, (_, value) in enumerate(segment.results):
        yield assignment(f"{array}[{place}]", printer.print(value), 2)
