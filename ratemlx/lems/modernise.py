"""A model file in RateML's spelling to the same file in the modern one: its meaning, layout and comments stay.

What each spelling means is known to the modules that read elements; here their reading, the document, is written back
into the text. Files with faults are refused by whoever calls this.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ratemlx.errors import InternalError
from ratemlx.lems.build import HELPERS, Components
from ratemlx.lems.delays import CONDUCTION_SPEED, RECIPROCAL
from ratemlx.lems.document import Document, ExposureNode, NoiseNode, StateVariableNode
from ratemlx.lems.dynamics import is_else
from ratemlx.lems.edits import Edits, start_tag
from ratemlx.lems.element import Element
from ratemlx.lems.parse import read_text
from ratemlx.lems.values import is_none, modern_spelling
from ratemlx.lems.xml import read_elements
from ratemlx.source import Text

_EXPRESSIONS = ("value", "expression", "condition", "range", "default", "initial", "bounds", "sigma", "tau", "mu")
_ENCODING = re.compile(r"""(<\?xml\b[^>]*?\bencoding\s*=\s*["'])[^"'>]*""")
_PER_STEP = re.compile(r"\(sqrt\(dt\) ?\* ?(sqrt\([^()]*\)|[\w.]+)\)/sqrt\(dt\)")


def modernise(document: Document) -> str:
    """The text of the document's file in modern spelling, to be saved as UTF-8."""
    text = _Rewriter(document).text()
    text = _ENCODING.sub(r"\g<1>UTF-8", text, count=1) if text.startswith("<?xml") else text
    again = read_text(text, document.source.name)
    left = [item.code for item in (*again.faults, *(again.document.warnings if again.document else ()))]
    if again.document is None or again.faults or any(code.startswith("legacy-") for code in left):
        raise InternalError(f"converting {document.source.name} left {', '.join(left)}")
    return text


class _Rewriter:
    """Goes through the elements beside their nodes of the document, and notes what has to change."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.root = read_elements(document.source)
        self.file = Components(self.root)
        self.edits = Edits(document.source)

    def text(self) -> str:
        for element in self.root.walk():
            for name in _EXPRESSIONS:
                if text := element.get(name):
                    self._change(element, name, value=modern_spelling(text.value))
        self._quantities()
        self._dynamics()
        for component in self.file.of("coupling"):
            self._coupling(component)
        self._delays()
        self._helpers()
        self._noise()
        if self.root.get("name") is None:
            self.edits.put_first(self.root, "name", self.document.name)
        return self.edits.apply()

    def _change(self, element: Element, name: str, new_name: str | None = None, value: str | None = None) -> None:
        """Give an attribute, where it is there, another name or value."""
        for attribute in element.attributes:
            if attribute.name.value == name:
                if new_name is not None:
                    self.edits.rename(attribute, new_name)
                if value is not None:
                    self.edits.set_value(attribute, value)

    def _drop(self, element: Element, *names: str) -> None:
        for attribute in element.attributes:
            if attribute.name.value in names:
                self.edits.remove_attribute(attribute)

    def _rename(self, element: Element, old: str, new: str) -> None:
        """Give an attribute its modern name; drop it where the modern one is there as well, or where it is empty."""
        text = element.get(old)
        if text is None or element.get(new) is not None or not text.value.strip():
            self._drop(element, old)
        else:
            self._change(element, old, new, modern_spelling(text.value))

    def _quantities(self) -> None:
        for element in self.file.derivatives("Parameter"):
            self._rename(element, "dimension", "range")
        for component in (*self.file.of("derivatives"), *self.file.of("coupling")):
            for element in component.all("Constant"):
                self._constant(element)
            for element in component.all("DerivedParameter"):
                self._rename(element, "expression", "value")
        for element, node in zip(self.file.derivatives("Exposure"), self.document.exposures, strict=True):
            self._exposure(element, node)

    def _constant(self, element: Element) -> None:
        self._drop(element, "domain", "dimension")
        self._rename(element, "default", "value")
        name = "value" if element.get("value") is not None else "default"
        text = element.get(name)
        if text is not None and (value := text.value.strip()).startswith("[") and value.endswith("]"):
            self._change(element, name, value=modern_spelling(value[1:-1]))

    def _exposure(self, element: Element, node: ExposureNode) -> None:
        name = element.get("name")
        if element.get("value") is None and name is not None:
            value = modern_spelling(name.value).strip()
            self._change(element, "name", value=node.name.value)
            if element.get("dimension") is not None:
                self._change(element, "dimension", "value", value)
            else:
                self.edits.add_attribute(element, "value", value)
        else:
            self._drop(element, "dimension")

    def _dynamics(self) -> None:
        for element, state in zip(self.file.dynamics("StateVariable"), self.document.state_variables, strict=True):
            self._state_variable(element, state)
        derivatives = zip(self.file.dynamics("TimeDerivative"), self.document.time_derivatives, strict=True)
        for element, derivative in derivatives:
            self._change(element, "variable", value=derivative.variable.value)
        for element in self.root.walk():
            condition = element.get("condition") if element.tag.value == "Case" else None
            if condition is not None and is_else(condition):
                self._drop(element, "condition")

    def _state_variable(self, element: Element, node: StateVariableNode) -> None:
        if element.get("initial") is None:
            self._change(element, "dimension", "initial", _listed(node.initial))
        else:
            self._drop(element, "dimension")
        low, high = node.bounds
        if element.get("bounds") is not None or low is high is None:
            self._drop(element, "exposure")
        else:
            self._change(element, "exposure", "bounds", f"{_listed([low], '-inf')}, {_listed([high], 'inf')}")

    def _coupling(self, component: Element) -> None:
        sources = {node.name.value: node.source.value for term in self.document.couplings for node in term.sources}
        for element in component.all("Parameter"):
            if element.get("source") is None:
                self._change(element, "dimension", "source", sources[str(element.get("name"))])
            else:
                self._drop(element, "dimension")
        for term in component.all("DerivedParameter"):
            if is_none(term.get("value", "expression")):
                self._drop(term, "value", "expression")
        for dynamics in component.all("Dynamics"):
            for part in dynamics.all("DerivedVariable"):
                if is_none(part.get("value")):
                    self.edits.remove(part)

    def _delays(self) -> None:
        """Say by `delays` of Lems, and by a constant speed, what RateML says by `rec_speed_dt`."""
        stated = self.root.get("delays")
        if not self.document.delays and (stated is None or stated.value != "false"):
            if stated is None:
                self.edits.add_attribute(self.root, "delays", "false")
            self._change(self.root, "delays", value="false")
        reciprocal = [item for item in self.file.derivatives("DerivedParameter") if _is(item, RECIPROCAL)]
        speed = self.document.fixed_speed if self.document.delays else None
        speeds = [item for item in self.file.derivatives("Constant") if _is(item, *CONDUCTION_SPEED)]
        for element in reciprocal:
            if speed is None or speeds:
                self.edits.remove(element)
            else:
                value = modern_spelling(speed.value).strip()
                self.edits.replace(element, start_tag("Constant", name=CONDUCTION_SPEED[0], value=value))
        for element in speeds:
            if speed is not None:
                name = "value" if element.get("value") is not None else "default"
                self._change(element, name, value=modern_spelling(speed.value).strip())

    def _helpers(self) -> None:
        kept = {node.name.value for node in self.document.derived_parameters}
        for element in self.file.derivatives("DerivedParameter"):
            name = element.get("name")
            if name is not None and name.value in HELPERS and name.value not in kept and name.value != RECIPROCAL:
                self.edits.remove(element)

    def _noise(self) -> None:
        for component in self.file.of("noise")[:1]:
            if not component.children:
                self.edits.fill(component, [_noise_tag(node) for node in self.document.noises])


def _noise_tag(node: NoiseNode) -> str:
    """Additive noise written out; RateML's factor sqrt(dt) is taken out where that is plain to see."""
    # The document has blanks in the places of C's endings of numbers.
    plain = " ".join(node.sigma.value.split()).replace(" )", ")")
    sigma = _PER_STEP.sub(r"\1", plain)
    return start_tag("Noise", variable=node.variable.value, type=node.kind.value, sigma=sigma)


def _is(element: Element, *names: str) -> bool:
    name = element.get("name")
    return name is not None and name.value in names


def _listed(values: Sequence[Text | None], missing: str = "") -> str:
    return ", ".join(modern_spelling(value.value).strip() if value else missing for value in values)
