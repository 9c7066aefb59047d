"""Write a transfer function as a Python function over SymPy symbols."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import sympy as sp

from ratemlx.errors import PluginError
from ratemlx.transfer.base import Argument, Coefficient, TransferFunction
from ratemlx.transfer.check import check_function, coefficient_names

Body = Callable[..., object]


class Let:
    """Names an intermediate value: `y = let("y", expression)`. Statements keep the order in which they are written."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, sp.Expr]] = []

    def __call__(self, name: str, expression: object) -> sp.Symbol:
        """Add a statement and give the symbol that stands for its value."""
        self.statements.append((name, sp.sympify(expression, rational=False, strict=True)))
        return sp.Symbol(name, real=True)


def transfer_function(
    *,
    arguments: Sequence[Argument | str],
    coefficients: Sequence[Coefficient | str] = (),
    outputs: Mapping[str, str],
    name: str | None = None,
    description: str = "",
    reference: str = "",
) -> Callable[[Body], TransferFunction]:
    """Decorator that turns a Python function into a TransferFunction of the same name.

    The function is called once, with `let` and then with every argument and coefficient by name as real SymPy
    symbols (a vector as a tuple of them). It names its statements with `let`; `outputs` maps names of statements to
    units, the first being the function's value. Raises PluginError where these do not fit together.
    """
    given_arguments = tuple(Argument(item) if isinstance(item, str) else item for item in arguments)
    given_coefficients = tuple(Coefficient(item) if isinstance(item, str) else item for item in coefficients)

    def decorate(body: Body) -> TransferFunction:
        function_name = name or body.__name__
        symbols: dict[str, object] = {item.name: _symbol(item.name) for item in given_arguments}
        symbols |= {item.name: _coefficient(item) for item in given_coefficients}
        _check_signature(body, function_name, symbols)
        let = Let()
        body(let, **symbols)
        function = TransferFunction(
            name=function_name,
            arguments=given_arguments,
            coefficients=given_coefficients,
            statements=tuple(let.statements),
            outputs=tuple(outputs.items()),
            description=description or (inspect.getdoc(body) or "").partition("\n")[0],
            reference=reference,
        )
        check_function(function, body.__module__)
        return function

    return decorate


def _check_signature(body: Body, name: str, symbols: Mapping[str, object]) -> None:
    """The names of the parameters must be `let` and those of the arguments and coefficients."""
    found = list(inspect.signature(body).parameters)
    if found[:1] != ["let"] or sorted(found[1:]) != sorted(symbols):
        wanted = ", ".join(["let", *symbols])
        message = f"transfer function '{name}': its parameters are {', '.join(found)}"
        raise PluginError(message, f"write def {name}({wanted})")


def _symbol(name: str) -> sp.Symbol:
    return sp.Symbol(name, real=True)


def _coefficient(item: Coefficient) -> sp.Symbol | tuple[sp.Symbol, ...]:
    symbols = tuple(_symbol(name) for name in coefficient_names(item))
    return symbols[0] if item.size is None else symbols
