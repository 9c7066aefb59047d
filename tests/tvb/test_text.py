"""Generated modules as text: nothing of a model's prose becomes code, names do not collide, lines are formatted."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ratemlx.ir.model import Model
from ratemlx.load import load
from ratemlx.targets import render
from ratemlx.targets.python_text import assignment, docstring, one_line, string, string_argument
from ratemlx.targets.tvb_names import BASE_ATTRIBUTES, attribute_names, class_name
from tests.tvb.simulation import classes

HOSTILE = (
    '""" \'\'\' \\ ${1+1} <% import os %> {0} {{x}} %s \\\n## x\n% for a in b:\n"); import os; (" \u2028#\r\t\x00\\'
)
PLAIN = '""" \'\'\' \\ ${1+1} <% import os %> {0} {{x}} %s \\ ## x % for a in b: "); import os; (" #  \\'


def hostile(model: Model) -> Model:
    """A model whose every text tries to leave its literal."""

    def spoilt(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(item, description=HOSTILE) for item in items)

    return replace(
        model,
        description=HOSTILE,
        reference=HOSTILE,
        parameters=tuple(replace(item, reference=HOSTILE) for item in spoilt(model.parameters)),
        constants=tuple(replace(item, reference=HOSTILE) for item in spoilt(model.constants)),
        state_variables=spoilt(model.state_variables),
        exposures=spoilt(model.exposures),
    )


def code(text: str) -> list[str]:
    """The syntax tree with every string left out."""

    class Silent(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return ast.Constant("") if isinstance(node.value, str) else node

    return ast.dump(Silent().visit(ast.parse(text)), indent=1).splitlines()


@pytest.mark.parametrize("name", ["montbrio", "adex_first_order"])
def test_prose_stays_prose(name: str) -> None:
    model = load(name)
    text = render(hostile(model), "tvb")[f"{name}.py"]
    assert code(text) == code(render(model, "tvb")[f"{name}.py"])
    assert all(char.isprintable() or char == "\n" for char in text)
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.tvb
def test_prose_can_be_read_where_it_belongs(module_of: Callable[[Model], ModuleType]) -> None:
    model = replace(hostile(load("kuramoto")), name="hostile")
    node, coupling = classes(module_of(model), "hostile")
    words = PLAIN.split()
    assert node.omega.doc.split() == [*words, "[1/ms].", *words]
    assert coupling.global_coupling.doc.split() == [*words, "[1/ms].", *words]
    own_words = node.__doc_old__  # the class's docstring before TVB adds a table of attributes
    assert own_words.split()[: len(words)] == words


@pytest.mark.parametrize(
    "text", ["", "plain", "it's", 'say "so"', "both ' and \"", "back\\slash", "end\\", HOSTILE, "é µ"]
)
def test_literals_give_their_text_back(text: str) -> None:
    wanted = one_line(text)
    assert ast.literal_eval(string(text)) == wanted
    (keyword,) = ast.parse(f"f({string_argument('doc', f'{text} ' * 20, 2)})", mode="eval").body.keywords
    assert keyword.value.value == " ".join([wanted] * 20).strip()
    (line,) = ast.parse(f'"""{docstring([text or "-"], 0)}"""').body
    assert line.value.value.split() == (wanted or "-").split()


def test_long_texts_are_broken_between_words() -> None:
    assert string_argument("doc", "word " * 30, 2) == (
        'doc=(\n            "' + "word " * 21 + '"\n            "' + "word " * 8 + 'word"\n        ),'
    )
    assert docstring(["One.", "a\n    b: " + "word " * 30], 1) == (
        "One.\n\n    a\n        b: " + ("word " * 21).rstrip() + "\n            " + ("word " * 9).rstrip() + "\n    "
    )


def test_long_formulas_are_broken_before_operators() -> None:
    term = "a_rather_long_name * another_rather_long_name"
    lines = [f"        {term}", f"        + {term}", f"        - {term}"]
    assert assignment("x", f"{term} + {term} - {term}", 1) == "\n".join(["x = (", *lines, "    )"])
    inside = f"{term} + 2.0 * {term}"
    assert assignment("derivative", f"factor * ({inside})", 1) == f"derivative = factor * (\n        {inside}\n    )"
    wide = f"{term} * ({inside})"
    lines = [f"        {term}", f"        + {term.replace(' * ', chr(10) + '        * ')}", f"        * ({inside})"]
    assert assignment("x", f"{term} + {wide}", 1) == "\n".join(["x = (", *lines, "    )"])
    assert assignment("x", "(a if b else c)", 1) == "x = a if b else c"
    assert assignment("x", "(a + b) * (c + d)", 1) == "x = (a + b) * (c + d)"


@pytest.mark.parametrize(
    ("model", "name"),
    [("adex_first_order", "AdexFirstOrder"), ("montbrio", "Montbrio"), ("model", "ModelModel"), ("none", "NoneModel")],
)
def test_classes_are_named_after_models(model: str, name: str) -> None:
    assert class_name(model) == name


def test_attributes_keep_their_names_unless_tvb_has_them() -> None:
    names = ["eta", "noise", "noise_", "gamma", "_nvar", "title", "index", "initial"]
    assert attribute_names(names) == {
        "eta": "eta",
        "noise": "noise__",
        "noise_": "noise_",
        "gamma": "gamma",
        "_nvar": "nvar_",
        "title": "title_",
        "index": "index",
        "initial": "initial_",
    }


@pytest.mark.tvb
def test_all_attributes_of_tvb_are_known() -> None:
    from tvb.simulator.coupling import SparseCoupling
    from tvb.simulator.models.base import Model as BaseModel

    present = {name for base in (BaseModel, SparseCoupling) for name in dir(base) if not name.startswith("_")}
    assert present <= BASE_ATTRIBUTES


@pytest.mark.parametrize("name", ["adex", "epileptor", "jansen_rit", "kuramoto", "montbrio"])
def test_modules_are_formatted(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text(render(load(name), "tvb")[file.name], encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--diff", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
