"""Move what does not change during a simulation out of the step: binding times.

Parameters, constants and dt are known before the first step. Every subexpression of them, also as a group of factors
or terms inside a longer product or sum, is computed in `prepare`, once per instance; divisions by them become
multiplications on the way.
"""

from __future__ import annotations

from itertools import count

import sympy as sp

from ratemlx.passes.program import Line, Program, Segment, free_names, rebuilt, symbol

HOISTED_PREFIX = "fixed."
DIGITS = 20


def hoist(program: Program) -> Program:
    """The program with everything that is fixed during a simulation computed in `prepare`."""
    program = evaluate_all(program)
    segments = program.segments()
    hoister = _Hoister(program)
    changed = {}
    for name, segment in segments.items():
        if name != "prepare":
            changed[name] = hoister.segment(segment)
    changed["prepare"] = Segment(tuple(hoister.lines), ())
    return program.with_segments(changed)


def evaluate_all(program: Program) -> Program:
    """The program with every number in it evaluated."""
    segments = program.segments().items()
    return program.with_segments({name: segment.map(evaluate_numbers) for name, segment in segments})


def evaluate_numbers(expression: sp.Expr) -> sp.Expr:
    """The expression with irrational numbers, and products and sums with them, as single decimal numbers."""
    if expression.is_Atom:
        return sp.Float(expression, DIGITS) if expression.is_NumberSymbol else expression
    if expression.is_number:
        return expression if expression.is_Rational else sp.Float(expression.evalf(DIGITS), DIGITS)
    if isinstance(expression, sp.Basic) and not isinstance(expression, sp.Piecewise):
        return rebuilt(expression, [evaluate_numbers(item) for item in expression.args])
    pairs = [(evaluate_numbers(value), condition) for value, condition in expression.args]
    return sp.Piecewise(*pairs, evaluate=False)


class _Hoister:
    def __init__(self, program: Program) -> None:
        model = program.model
        self.lines = list(program.prepare.lines)
        known = {item.name for item in model.parameters} | {item.name for item in model.constants} | {"dt", "n_node"}
        self.fixed = {symbol(name) for name in known} | {symbol(line.name) for line in self.lines}
        self.names = {line.expression: symbol(line.name) for line in self.lines}
        taken = sum(line.name.startswith(HOISTED_PREFIX) for line in self.lines)
        self.numbers = count(taken)

    def segment(self, segment: Segment) -> Segment:
        """A segment whose statements that are fixed went to `prepare`, and the rest refers to them."""
        kept = []
        for line in segment.lines:
            expression = self.inside(line.expression)
            if self.is_fixed(expression):
                self.publish(line, expression)
            else:
                kept.append(Line(line.name, expression, line.origin))
        return Segment(tuple(kept), tuple((name, self.result(expression)) for name, expression in segment.results))

    def publish(self, line: Line, expression: sp.Expr) -> None:
        """A whole statement that is fixed keeps its name."""
        own = symbol(line.name)
        self.lines.append(Line(line.name, expression, line.origin))
        self.names.setdefault(expression, own)
        self.fixed.add(own)

    def result(self, expression: sp.Expr) -> sp.Expr:
        """A result, a reference to `prepare` if it is fixed and more than a name or a number."""
        expression = self.inside(expression)
        return self.name(expression) if self.is_fixed(expression) else expression

    def is_fixed(self, expression: sp.Expr) -> bool:
        """Whether nothing in an expression changes during a simulation."""
        return bool(expression.free_symbols <= self.fixed)

    def inside(self, expression: sp.Expr) -> sp.Expr:
        """The expression with every fixed part of it, of some length, named."""
        if expression.is_Atom or self.is_fixed(expression):
            return expression
        if expression.is_Add or expression.is_Mul:
            return self.group(expression)
        if isinstance(expression, sp.Piecewise):
            pairs = [(self.part(value), self.condition(condition)) for value, condition in expression.args]
            return sp.Piecewise(*pairs, evaluate=False)
        return rebuilt(expression, [self.part(item) for item in expression.args])

    def part(self, expression: sp.Expr) -> sp.Expr:
        """An operand: named if it is fixed and not trivial."""
        return self.name(expression) if self.is_fixed(expression) else self.inside(expression)

    def condition(self, condition: sp.Basic) -> sp.Basic:
        """A condition with its operands treated alike."""
        if condition.is_Atom or not hasattr(condition, "func"):
            return condition
        if isinstance(condition, sp.core.relational.Relational):
            return condition.func(*(self.part(item) for item in condition.args), evaluate=False)
        return condition.func(*(self.condition(item) for item in condition.args), evaluate=False)

    def group(self, expression: sp.Expr) -> sp.Expr:
        """A sum or product: its fixed operands together become one."""
        expression = self._distributed(expression)
        if not (expression.is_Add or expression.is_Mul):
            return self.inside(expression)
        fixed = [item for item in expression.args if self.is_fixed(item)]
        rest = [self.inside(item) for item in expression.args if not self.is_fixed(item)]
        sign = sp.Integer(1)
        if expression.is_Mul and sp.Integer(-1) in fixed:
            fixed.remove(sp.Integer(-1))
            sign = sp.Integer(-1)
        elif expression.is_Mul and fixed and fixed[0].is_Number and fixed[0].is_negative and len(fixed) > 1:
            fixed[0], sign = -fixed[0], sp.Integer(-1)
        if not fixed:
            return expression.func(*([sign] if sign == -1 else []), *rest)
        together = self.name(expression.func(*fixed))
        return expression.func(*([sign] if sign == -1 else []), together, *rest)

    def _distributed(self, expression: sp.Expr) -> sp.Expr:
        """k (x + c) as k x + k c with k and c fixed: one operation, for the second product is fixed too."""
        if not expression.is_Mul:
            return expression
        rest = [item for item in expression.args if not self.is_fixed(item)]
        if len(rest) != 1 or not rest[0].is_Add or len(rest[0].args) != 2:
            return expression
        constant = [item for item in rest[0].args if self.is_fixed(item)]
        if len(constant) != 1 or rest[0] == expression:
            return expression
        factor = expression / rest[0]
        return sp.Add(*(factor * item for item in rest[0].args)) if factor not in (1, -1) else expression

    def name(self, expression: sp.Expr) -> sp.Expr:
        """A fixed expression by name, unless it is a number or a name already."""
        if not expression.free_symbols or expression.is_Symbol:
            return expression
        if expression not in self.names:
            own = symbol(f"{HOISTED_PREFIX}{next(self.numbers)}")
            self.lines.append(Line(own.name, expression, "fixed"))
            self.names[expression] = own
            self.fixed.add(own)
        return self.names[expression]


def prune_prepare(program: Program) -> Program:
    """The program without statements of `prepare` that only rename a value or that no segment needs."""
    copies: dict[sp.Symbol, sp.Expr] = {}
    for line in program.prepare.lines:
        expression = line.expression.xreplace(copies)
        if expression.is_Symbol or expression.is_Number:
            copies[symbol(line.name)] = expression
    segments = {name: item.map(lambda e: e.xreplace(copies)) for name, item in program.segments().items()}
    live = free_names(e for name, item in segments.items() if name != "prepare" for e in item.expressions())
    kept = []
    for line in reversed(segments["prepare"].lines):
        if line.name in live:
            kept.append(line)
            live |= free_names([line.expression])
    return program.with_segments({**segments, "prepare": Segment(tuple(reversed(kept)), ())})
