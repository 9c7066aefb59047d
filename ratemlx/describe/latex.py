"""SymPy expressions as LaTeX, with names as a reader of papers knows them: `tau_w_e` is a tau with the index w,e."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sympy as sp
from sympy.printing.latex import LatexPrinter

_LOWER = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi
omega"""
_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = {name: f"\\{name}" for name in f"{_LOWER} {_UPPER}".split()} | {"lamda": r"\lambda", "pi": r"\pi"}

_DERIVATIVE = re.compile(r"diff\(([^,]+), (.+)\)")
_NUMBERED = re.compile(r"([A-Za-z]+?)(\d+)")
_ELEMENT = re.compile(r"(\w+)\[(\d+)\]")


def latex(expression: sp.Basic, special: Mapping[str, str] | None = None) -> str:
    """An expression in LaTeX; `special` has the LaTeX of names that are not to be printed by their letters."""
    return str(_Printer(special or {}).doprint(expression))


def name_latex(name: str) -> str:
    """A name of the model language in LaTeX: a letter with indices, or the whole name upright."""
    if derivative := _DERIVATIVE.fullmatch(name):
        return _derivative(derivative[1], derivative[2].split(", "))
    if element := _ELEMENT.fullmatch(name):
        return _with_indices(element[1], [element[2]])
    if "." in name:
        use, _, output = name.partition(".")
        return f"{name_latex(output)}^{{({name_latex(use)})}}"
    return _with_indices(name, [])


def upright(text: str) -> str:
    """Words in a formula."""
    escaped = text.replace("_", r"\_")
    return rf"\text{{{escaped}}}"


def _with_indices(name: str, more: list[str]) -> str:
    first, *indices = name.split("_")
    if numbered := _NUMBERED.fullmatch(first):
        first, indices = numbered[1], [numbered[2], *indices]
    if first not in GREEK and len(first) > 1:
        return upright(name) + (f"_{{{more[0]}}}" if more else "")
    letter = GREEK.get(first, first)
    shown = ",".join(_index(item) for item in (*indices, *more))
    return f"{letter}_{{{shown}}}" if shown else letter


def _index(text: str) -> str:
    if text in GREEK:
        return GREEK[text]
    # ee, ei and ii are pairs of populations; longer indices are words.
    is_word = len(text) > 2 and not text.isdigit()
    return upright(text) if is_word else text


def _derivative(function: str, arguments: list[str]) -> str:
    value = name_latex(function)
    below = [rf"\partial {name_latex(item)}" for item in arguments]
    if len(arguments) == 2 and arguments[0] == arguments[1]:
        return rf"\frac{{\partial^{{2}} {value}}}{{{below[0]}^{{2}}}}"
    order = "" if len(arguments) == 1 else f"^{{{len(arguments)}}}"
    return rf"\frac{{\partial{order} {value}}}{{{' '.join(below)}}}"


class _Printer(LatexPrinter):  # type: ignore[misc]
    """SymPy's printer with our names, and space between factors, as some names are words."""

    def __init__(self, special: Mapping[str, str]) -> None:
        super().__init__({"mul_symbol": r" \, ", "fold_short_frac": False, "long_frac_ratio": 3})
        self._special = special

    def _print_Symbol(self, expression: sp.Symbol, **_: object) -> str:  # noqa: N802
        return self._special.get(expression.name) or name_latex(expression.name)

    def _as_ordered_terms(self, expression: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        """Terms of a sum; one without a minus sign, if there is one, comes first."""
        terms = list(super()._as_ordered_terms(expression, order))
        return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))

    def _print_Piecewise(self, expression: sp.Piecewise) -> str:  # noqa: N802
        rows = []
        for value, condition in expression.args:
            when = r"\text{otherwise}" if condition is sp.true else rf"\text{{if }} {self._print(condition)}"
            rows.append(rf"{self._print(value)} & {when}")
        lines = r" \\ ".join(rows)
        return rf"\begin{{cases}} {lines} \end{{cases}}"
