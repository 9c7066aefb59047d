"""The schema for editors accepts every model file and knows the same words as the program."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from lxml import etree

from ratemlx.lems.vocabulary import KINDS
from ratemlx.resources import shipped_models

XS = "{http://www.w3.org/2001/XMLSchema}"
TAGS = {
    "derivatives": "ComponentType",
    "coupling": "ComponentType",
    "noise": "ComponentType",
    "transfer": "ComponentType",
    "source": "Parameter",
    "term": "DerivedParameter",
    "declared argument": "Argument",
    "output": "Exposure",
    "dynamics": "Dynamics",
    "coupling dynamics": "Dynamics",
    "transfer dynamics": "Dynamics",
}
LEGAL = ("epileptor", "kuramoto", "montbrio", "oscillator", "rwongwang", "rwongwang_deco")


@pytest.fixture(scope="module")
def tree() -> etree._ElementTree:
    with (resources.files("ratemlx.lems") / "ratemlx.xsd").open("rb") as file:
        return etree.parse(file)


@pytest.mark.parametrize("path", shipped_models().values(), ids=shipped_models())
def test_shipped_models_are_valid(tree: etree._ElementTree, path: Path) -> None:
    etree.XMLSchema(tree).assertValid(etree.parse(str(path)))


@pytest.mark.parametrize("name", LEGAL)
def test_models_of_rateml_are_valid(tree: etree._ElementTree, rateml_models: Path, name: str) -> None:
    etree.XMLSchema(tree).assertValid(etree.parse(str(rateml_models / f"{name}.xml")))


def test_a_misspelled_attribute_is_not_valid(tree: etree._ElementTree) -> None:
    text = '<Lems><ComponentType name="derivatives"><Constant name="a" valeu="1"/></ComponentType></Lems>'
    assert not etree.XMLSchema(tree).validate(etree.fromstring(text))


def test_schema_and_program_know_the_same_words(tree: etree._ElementTree) -> None:
    in_schema = {
        kind.get("name"): {item.get("name") for item in kind.findall(f"{XS}attribute")}
        for kind in tree.getroot().findall(f"{XS}complexType")
    }
    lems = tree.getroot().find(f"{XS}element/{XS}complexType")
    in_schema["Lems"] = {item.get("name") for item in lems.findall(f"{XS}attribute")}
    in_program: dict[str, set[str]] = {name: set() for name in in_schema}
    for key, kind in KINDS.items():
        for tag in ("Argument", "Coefficient") if key == "binding" else (TAGS.get(key, key),):
            in_program[tag] |= set(kind.known)
    assert in_program == in_schema
