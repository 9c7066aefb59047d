"""What building a model works with: the names declared so far, what was used, and all faults found.

Reading goes on after a fault, so that a user sees all of them at once: whatever cannot be read is None.
"""

from __future__ import annotations

import math

from ratemlx.errors import Diagnostic, ModelError
from ratemlx.ir.expr import parse_expression
from ratemlx.ir.fold import constant_value
from ratemlx.ir.functions import FUNCTIONS
from ratemlx.ir.model import CONDUCTION_SPEED, TOTAL
from ratemlx.ir.names import BUILT_IN, did_you_mean
from ratemlx.ir.nodes import Derivative, Item, Name, Node, Output, walk
from ratemlx.ir.scope import POST, VECTORS, Declared, Formula, Kind, Scope
from ratemlx.ir.units import Unit, UnitError, parse_unit
from ratemlx.source import Span, Text
from ratemlx.transfer.base import TransferFunction

_BUILT_IN = {name: Declared(name, "built-in") for name in BUILT_IN}


class Context:
    """Collects declarations and diagnostics while a document is read; `elsewhere` says where local names are known."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.declared: dict[str, Declared] = {}
        self.used: set[str] = set()
        self.elsewhere: dict[str, str] = {TOTAL: POST.place}

    # Diagnostics.

    def error(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Note a fault."""
        self.diagnostics.append(Diagnostic(code, message, span, hint))

    def warning(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Note a remark that does not stop the model from being used."""
        self.diagnostics.append(Diagnostic(code, message, span, hint, "warning"))

    @property
    def failed(self) -> bool:
        """Whether any fault was found."""
        return any(item.severity == "error" for item in self.diagnostics)

    # Names.

    def declare(self, name: Text, kind: Kind, size: int = 0, function: TransferFunction | None = None) -> None:
        """Give a name its meaning. The first one stays: rules of the language refuse files that repeat a name."""
        self.declared.setdefault(name.value, Declared(name.value, kind, name.span, size, function))

    def names_of(self, kind: Kind) -> tuple[str, ...]:
        """All names of one kind, in the order of the file."""
        return tuple(name for name, item in self.declared.items() if item.kind == kind)

    # Texts.

    def formula(self, text: Text, scope: Scope) -> Formula | None:
        """Read an expression and resolve its names in a scope."""
        try:
            tree = parse_expression(text)
        except ModelError as error:
            self.diagnostics.extend(error.diagnostics)
            return None
        before = len(self.diagnostics)
        uses = set()
        for node in walk(tree):
            found = self._resolve(node, scope)
            if found is not None:
                uses.add(found.name)
                if found.name not in scope.local:
                    self.used.add(found.name)
        return Formula(text, tree, frozenset(uses)) if len(self.diagnostics) == before else None

    def number(self, text: Text, infinite: bool = False) -> float | None:
        """Read a number, or arithmetic with numbers and pi."""
        try:
            tree = parse_expression(text)
            value = constant_value(tree)
        except ModelError as error:
            self.diagnostics.extend(error.diagnostics)
            return None
        if value is None:
            name = next((node for node in walk(tree) if isinstance(node, Name | Item | Output | Derivative)), tree)
            self.error("not-a-number", "a number should stand here", name.span, "names can be used in expressions only")
        elif not infinite and not math.isfinite(value):
            self.error("not-a-number", "a finite number should stand here", text.span)
        else:
            return value
        return None

    def unit(self, text: Text | None) -> Unit | None:
        """Read a unit; None if there is none."""
        if text is None:
            return None
        try:
            return parse_unit(text.value)
        except UnitError as error:
            self.error("unit", str(error), text.place(error.start, error.end), error.hint)
            return None

    # Resolving.

    def _resolve(self, node: Node, scope: Scope) -> Declared | None:
        """Look up the name in a node and refuse what does not fit; None where there is nothing to look up."""
        if isinstance(node, Name):
            found = self._lookup(node.name, node.span, scope)
            if found and found.kind in VECTORS:
                hint = f"write {found.name}[0] to {found.name}[{found.size - 1}]"
                self.error("vector", f"'{found.name}' is a vector of {found.size} values", node.span, hint)
            return found
        if isinstance(node, Item):
            return self._item(node, scope)
        if isinstance(node, Output):
            found = self._lookup(node.use, node.span, scope)
            if found:
                self._output(node, found)
            return found
        if isinstance(node, Derivative):
            found = self._lookup(node.use.name, node.use.span, scope)
            if found:
                self._derivative(node, found)
            return found
        return None

    def _lookup(self, name: str, span: Span | None, scope: Scope) -> Declared | None:
        found = scope.local.get(name) or self.declared.get(name) or _BUILT_IN.get(name)
        if name in ("pi", "inf"):
            return None
        if found is None:
            hint = f"'{name}' is a function: write {FUNCTIONS[name].usage}" if name in FUNCTIONS else None
            hint = hint or (f"'{name}' is known in {self.elsewhere[name]} only" if name in self.elsewhere else None)
            hint = hint or did_you_mean(name, self._visible(scope)) or "declare it, for instance as a Constant"
            self.error("unknown-name", f"unknown name '{name}'", span, hint)
        elif name not in scope.local and name in CONDUCTION_SPEED:
            message = f"'{name}' sets the delays and cannot be used in an expression"
            self.error("scope", message, span)
        elif name not in scope.local and found.kind not in scope.kinds:
            message = f"the {found.kind} '{name}' cannot be used in {scope.place}"
            self.error("scope", message, span, f"what can: {scope.allowed}")
            return None
        return found

    def _visible(self, scope: Scope) -> list[str]:
        declared = {**_BUILT_IN, **self.declared}
        return [*scope.local, *(name for name, item in declared.items() if item.kind in scope.kinds)]

    def _item(self, node: Item, scope: Scope) -> Declared | None:
        found = self._lookup(node.name, node.span, scope)
        if found and found.kind not in VECTORS:
            self.error("vector", f"'{node.name}' is not a vector", node.span, f"write {node.name}")
        elif found and node.index >= found.size:
            hint = f"{node.name}[0] to {node.name}[{found.size - 1}]"
            self.error("vector", f"'{node.name}' has {found.size} values, counted from 0", node.span, hint)
        return found

    def _output(self, node: Output, found: Declared) -> None:
        if not self._is_function(found, node.span):
            return
        names = [name for name, _ in found.function.outputs] if found.function else []
        if found.function and node.output not in names:
            message = f"'{node.use}' ({found.function.name}) has no output '{node.output}'"
            hint = did_you_mean(node.output, names)
            self.error("transfer", message, node.span, hint)

    def _derivative(self, node: Derivative, found: Declared) -> None:
        if not self._is_function(found, node.use.span) or found.function is None:
            return
        names = [argument.name for argument in found.function.arguments]
        for item in node.wrt:
            if item.name not in names:
                message = f"'{node.use.name}' ({found.function.name}) has no argument '{item.name}'"
                hint = did_you_mean(item.name, names)
                self.error("transfer", message, item.span, hint)

    def _is_function(self, found: Declared, span: Span | None) -> bool:
        if found.kind == "transfer function":
            return True
        message = f"'{found.name}' is a {found.kind}, not a transfer function"
        self.error("transfer", message, span)
        return False
