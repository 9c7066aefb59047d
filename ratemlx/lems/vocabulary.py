"""The words of the model language: which elements stand where, and which attributes each takes.

Modern spellings come first in every list; what follows `legacy` is RateML's. The schema `ratemlx.xsd` says the
same to editors, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from ratemlx.lems import limits
from ratemlx.lems.element import Attribute, Element
from ratemlx.lems.quoting import suggest
from ratemlx.source import Text

COMPONENT_KINDS = ("derivatives", "coupling_*", "noise", "transfer_*")
FIXED_COMPONENTS = ("derivatives", "coupling", "noise")
"""Names of components that a misspelled one can be taken for."""


@dataclass(frozen=True)
class Kind:
    """What an element may hold; of each group in `required`, one attribute must be there."""

    attributes: tuple[str, ...] = ()
    legacy: tuple[str, ...] = ()
    required: tuple[tuple[str, ...], ...] = ()
    children: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All attributes, in either spelling."""
        return self.attributes + self.legacy

    def child(self, tag: str) -> str | None:
        """The kind of a child with this tag."""
        return dict(self.children).get(tag)


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


_BINDING = Kind(("name", "value"), required=(("name",), ("value",)))
_DYNAMICS = _same("StateVariable", "DerivedVariable", "ConditionalDerivedVariable", "TimeDerivative")

KINDS = {
    "Lems": Kind(("name", "description", "reference", "delays"), children=_same("ComponentType")),
    "derivatives": Kind(
        ("name", "description"),
        children=(
            *_same("Parameter", "DerivedParameter", "Constant", "Input", "TransferFunction", "Exposure"),
            ("Dynamics", "dynamics"),
        ),
    ),
    "coupling": Kind(
        ("name", "description"),
        children=(
            ("Parameter", "source"),
            ("DerivedParameter", "term"),
            *_same("Constant", "TransferFunction"),
            ("Dynamics", "coupling dynamics"),
        ),
    ),
    "noise": Kind(("name", "description"), children=_same("Noise")),
    "transfer": Kind(
        ("name", "description", "reference"),
        children=(
            ("Argument", "declared argument"),
            *_same("Constant"),
            ("Exposure", "output"),
            ("Dynamics", "transfer dynamics"),
        ),
    ),
    "Parameter": Kind(
        ("name", "range", "scale", "default", "unit", "description", "reference"),
        ("dimension",),
        (("name",), ("range", "dimension", "default")),
    ),
    "source": Kind(("name", "source", "description"), ("dimension",), (("name",), ("source", "dimension"))),
    "Constant": Kind(
        ("name", "value", "unit", "description", "reference"),
        ("default", "domain", "dimension"),
        (("name",), ("value", "default")),
    ),
    "DerivedParameter": Kind(
        ("name", "value", "unit", "description"), ("expression",), (("name",), ("value", "expression"))
    ),
    "term": Kind(("name", "value", "description"), ("expression",), (("name",),)),
    "TransferFunction": Kind(
        ("name", "plugin", "coefficients", "description"),
        required=(("name",), ("plugin",)),
        children=(("Argument", "binding"), ("Coefficient", "binding")),
    ),
    "binding": _BINDING,
    "Exposure": Kind(("name", "value", "unit", "description"), ("dimension",), (("name",),)),
    "Input": Kind(("name", "unit", "description"), required=(("name",),)),
    "dynamics": Kind(children=_DYNAMICS),
    "coupling dynamics": Kind(children=_same("DerivedVariable")),
    "transfer dynamics": Kind(children=_same("DerivedVariable")),
    "StateVariable": Kind(
        ("name", "initial", "bounds", "unit", "description"),
        ("dimension", "exposure"),
        (("name",), ("initial", "dimension")),
    ),
    "DerivedVariable": Kind(("name", "value", "unit", "description"), required=(("name",), ("value",))),
    "ConditionalDerivedVariable": Kind(("name", "unit", "description"), required=(("name",),), children=_same("Case")),
    "Case": Kind(("condition", "value"), required=(("value",),)),
    "TimeDerivative": Kind(("variable", "value"), required=(("variable",), ("value",))),
    "Noise": Kind(("variable", "type", "sigma", "tau", "mu"), required=(("variable",), ("type",), ("sigma",))),
    "declared argument": Kind(("name", "unit", "description"), required=(("name",),)),
    "output": Kind(("name", "description"), required=(("name",),)),
}


def component_kind(name: str) -> str | None:
    """What a ComponentType is, by its name: RateML takes any name with `coupling` in it."""
    if name in ("derivatives", "noise"):
        return name
    if name.startswith("transfer_"):
        return "transfer"
    return "coupling" if "coupling" in name else None


def walk(root: Element) -> Iterator[tuple[Element, Kind | None, Kind | None]]:
    """Elements with their own kind and their parent's; None for what the language does not have.

    What stands below an unknown element is left out.
    """
    yield from _walk(root, "Lems" if root.tag.value == "Lems" else None, None)


def _walk(element: Element, key: str | None, parent: Kind | None) -> Iterator[tuple[Element, Kind | None, Kind | None]]:
    kind = None if key is None else KINDS[key]
    yield element, kind, parent
    if kind is not None:
        for child in element.children:
            yield from _walk(child, _key(child, kind), kind)


def _key(element: Element, parent: Kind) -> str | None:
    key = parent.child(element.tag.value)
    if key == "ComponentType":
        name = element.get("name")
        return component_kind(name.value) if name else None
    return key


def corrected(root: Element) -> Element:
    """The elements with misspelled words replaced by what was probably meant, so that one slip is one message."""
    return _Corrector().element(root, "Lems")


class _Corrector:
    """Replaces misspelled words, until there were so many that the file is something else than a model."""

    def __init__(self) -> None:
        self.left = limits.CORRECTIONS

    def element(self, element: Element, key: str | None) -> Element:
        if key is None:
            return element
        kind = KINDS[key]
        children = [self._with_known_tag(child, kind) for child in element.children]
        return replace(
            element,
            attributes=tuple(self._with_known_name(attribute, element, kind) for attribute in element.attributes),
            children=tuple(self.element(child, _key(child, kind)) for child in children),
        )

    def _with_known_tag(self, element: Element, parent: Kind) -> Element:
        tags = dict(parent.children)
        if element.tag.value in tags:
            return self._with_known_component(element) if element.tag.value == "ComponentType" else element
        nearest = self._nearest(element.tag.value, tags)
        return replace(element, tag=Text(nearest, element.tag.span)) if nearest else element

    def _with_known_component(self, element: Element) -> Element:
        name = element.get("name")
        if name is None or component_kind(name.value):
            return element
        nearest = self._nearest(name.value, FIXED_COMPONENTS)
        if nearest is None:
            return element
        meant = Text(nearest, name.span)
        attributes = (replace(item, value=meant) if item.value is name else item for item in element.attributes)
        return replace(element, attributes=tuple(attributes))

    def _with_known_name(self, attribute: Attribute, element: Element, kind: Kind) -> Attribute:
        if attribute.name.value in kind.known:
            return attribute
        nearest = self._nearest(attribute.name.value, kind.known)
        if nearest is None or element.get(nearest) is not None:
            return attribute
        return replace(attribute, name=Text(nearest, attribute.name.span))

    def _nearest(self, word: str, options: Collection[str]) -> str | None:
        self.left -= 1
        return suggest(word, options) if self.left >= 0 else None
