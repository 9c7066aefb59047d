"""Turn a draft, correct by now, into the model: trees become SymPy expressions."""

from __future__ import annotations

import sympy as sp

from ratemlx.ir.context import Context
from ratemlx.ir.draft import Draft
from ratemlx.ir.dynamics import CouplingDraft, Named, NoiseDraft
from ratemlx.ir.model import Coupling, Exposure, Model, Noise, Statement, TransferUse
from ratemlx.ir.nodes import Node
from ratemlx.ir.scope import Formula
from ratemlx.ir.to_sympy import to_sympy
from ratemlx.ir.transfers import UseDraft
from ratemlx.lems.document import Document
from ratemlx.source import Span


def assemble_model(context: Context, document: Document, draft: Draft) -> Model:
    """The model of a draft; a number that no machine holds is reported to the context."""
    assembler = _Assembler(context)
    return Model(
        name=document.name,
        description=document.description,
        reference=document.reference,
        parameters=draft.parameters,
        constants=draft.constants,
        derived_parameters=tuple(assembler.statement(item) for item in draft.derived_parameters),
        state_variables=draft.state_variables,
        derived_variables=tuple(assembler.statement(item) for item in draft.derived_variables),
        transfer_uses=tuple(assembler.use(item) for item in draft.transfer_uses),
        time_derivatives=tuple((name, assembler.formula(formula)) for name, formula in draft.time_derivatives.items()),
        couplings=tuple(assembler.coupling(item, draft.uses_of(item)) for item in draft.couplings),
        noises=tuple(assembler.noise(item) for item in draft.noises),
        exposures=tuple(assembler.exposure(item) for item in draft.exposures),
        inputs=draft.inputs,
        delays=document.delays,
        fixed_speed=context.number(document.fixed_speed) if document.fixed_speed else None,
        warnings=(*document.warnings, *(item for item in context.diagnostics if item.severity == "warning")),
    )


class _Assembler:
    """Converts expressions and notes those whose numbers overflow."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def tree(self, node: Node, span: Span | None) -> sp.Expr:
        expression = to_sympy(node)
        if not all(_representable(number) for number in expression.atoms(sp.Rational)):
            self.context.error("value", "numbers in this expression multiply to more than a machine holds", span)
        return expression

    def formula(self, formula: Formula) -> sp.Expr:
        return self.tree(formula.tree, formula.text.span)

    def statement(self, item: Named) -> Statement:
        origin = item.node.description or item.name
        return Statement(item.name, self.formula(item.formula), item.unit, origin, item.node.span)

    def exposure(self, item: Named) -> Exposure:
        return Exposure(item.name, self.formula(item.formula), item.unit, item.node.description, item.node.span)

    def use(self, item: UseDraft) -> TransferUse:
        return TransferUse(
            name=item.node.name.value,
            function=item.function,
            arguments=tuple((name, self.formula(formula)) for name, formula in item.arguments),
            coefficients=tuple((name, self.tree(tree, tree.span)) for name, tree in item.coefficients),
            span=item.node.span,
        )

    def coupling(self, item: CouplingDraft, uses: tuple[UseDraft, ...]) -> Coupling:
        return Coupling(
            name=item.node.name.value,
            sources=item.sources,
            pre=self.tree(item.pre, item.pre.span),
            post=self.formula(item.post) if item.post else sp.Integer(1),
            factor=self.formula(item.factor) if item.factor else sp.Integer(1),
            span=item.node.span,
            transfer_functions=tuple(use.node.name.value for use in uses),
        )

    def noise(self, item: NoiseDraft) -> Noise:
        return Noise(
            variable=item.node.variable.value,
            kind=item.kind,
            sigma=self.formula(item.sigma),
            tau=self.formula(item.tau) if item.tau else None,
            mu=self.formula(item.mu) if item.mu else None,
            span=item.node.span,
        )


def _representable(number: sp.Rational) -> bool:
    """Whether a machine number comes near it."""
    try:
        return abs(float(number)) < float("inf")
    except OverflowError:
        return False
