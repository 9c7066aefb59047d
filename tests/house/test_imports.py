"""Who may import whom: the law of the architecture as a table, held against every import statement."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.sources import modules

FOUNDATION = ("errors", "source", "resources", "json_text")
LAW = {
    "source": (),
    "errors": ("source",),
    "resources": (),
    "json_text": ("errors", "source"),
    "abi": ("errors", "json_text"),
    "files": ("errors",),
    "lems": ("lems", *FOUNDATION),
    "ir.units": (),
    "transfer": ("transfer", "plugins", "ir.units", *FOUNDATION),
    "plugins": ("transfer", *FOUNDATION),
    "ir": ("ir", "lems", "transfer", *FOUNDATION),
    "load": ("ir", "lems", "transfer", *FOUNDATION),
    "passes": ("passes", "ir", "transfer", *FOUNDATION),
    "targets": ("targets", "passes", "ir", "transfer", "abi", "files", *FOUNDATION),
    "runtime.arrays": FOUNDATION,
    "runtime.cache": ("runtime.arrays", *FOUNDATION),
    "metrics": ("metrics", "plugins", "runtime.arrays", *FOUNDATION),
    "fitness": (
        *("fitness", "metrics", "runtime.arrays", "runtime.matrix_text"),
        *("runtime.untrusted", "runtime.untrusted_arrays", *FOUNDATION),
    ),
    "store": ("store", "runtime.arrays", "runtime.cache", *FOUNDATION),
    "observables": ("observables", "runtime.devices", "runtime.arrays", "abi", *FOUNDATION),
    "runtime": ("runtime", "observables", "metrics", "fitness", "store", "abi", *FOUNDATION),
    "report": ("report", "store", "metrics", "runtime", *FOUNDATION),
    "cluster": ("cluster", "runtime", "store", "abi", *FOUNDATION),
    "simulate": ("runtime", "fitness", "observables", "targets", "load", "ir", "abi", *FOUNDATION),
    "bench": ("bench", "runtime", "observables", "metrics", "store", "targets", "load", "simulate", "abi", *FOUNDATION),
    "bench.gpu": ("bench", "cluster", "runtime", "observables", "simulate", "abi", *FOUNDATION),
    "bench.scaling": ("bench", "report", "runtime", "load", "simulate", "abi", *FOUNDATION),
    "describe": ("describe", "simulate", "runtime", "passes", "ir", "transfer", *FOUNDATION),
    "": ("runtime", "fitness", "observables", "load", "simulate", *FOUNDATION),
    "__main__": ("cli",),
    "cli": None,
}
"""Parts of the package (the empty name is `ratemlx/__init__.py`) and the parts that each may import; None is all."""

ELSEWHERE_FORBIDDEN = {
    "lxml": ("lems",),
    "sympy": ("ir", "transfer", "passes", "targets", "describe"),
    "mako": ("targets",),
    "jinja2": ("report", "cluster"),
    "typer": ("cli",),
    "rich": ("cli", "runtime"),
    "xarray": ("runtime", "simulate", "describe", "store", "report"),
}
"""Packages that belong to some parts only."""

LAZY = {"pycuda": 1, "mpi4py": 1, "tvb": 1, "tvb_data": 1, "matplotlib": 5}
"""Packages that are imported inside functions, and the number of modules that do. Matplotlib: the figures of runs, of
transfer functions, and of pages about models, and the canvas of reports with scales and keys of its figures."""


@dataclass(frozen=True)
class Import:
    """One imported name, by the module that imports it; lazy if within a function, or for a type checker only."""

    module: str
    line: int
    name: str
    lazy: bool
    for_types: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


def imports_of(module: str, text: str) -> Iterator[Import]:
    """All imports of a module, wherever they stand."""
    tree = ast.parse(text)
    typing = _inside(tree, _is_type_checking)
    lazy = typing | _inside(tree, _is_function)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        prefix = ""
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} has a relative import"
            prefix = f"{node.module}."
        for alias in node.names:
            yield Import(module, node.lineno, prefix + alias.name, id(node) in lazy, id(node) in typing)


def _inside(tree: ast.Module, is_outer: Callable[[ast.AST], bool]) -> set[int]:
    """Identities of all nodes within those that `is_outer` picks."""
    return {id(node) for outer in ast.walk(tree) if is_outer(outer) for node in ast.walk(outer)}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def part_of(dotted: str) -> str:
    """The row of the table that a dotted name of the package belongs to."""
    inner = dotted.removeprefix("ratemlx").removeprefix(".")
    candidates = [part for part in LAW if part and (inner == part or inner.startswith(f"{part}."))]
    return max(candidates, key=len, default="")


def _is_within(dotted: str, parts: tuple[str, ...]) -> bool:
    inner = dotted.removeprefix("ratemlx").removeprefix(".")
    return any(inner == part or inner.startswith(f"{part}.") for part in parts)


def breaches(found: Iterator[Import] | list[Import]) -> list[str]:
    """Imports that the table does not allow."""
    return [str(item) for item in found if _is_breach(item)]


def _is_breach(item: Import) -> bool:
    top = item.name.partition(".")[0]
    if top == "ratemlx":
        allowed = LAW[part_of(item.module)]
        return allowed is not None and not _is_within(item.name, allowed)
    homes = ELSEWHERE_FORBIDDEN.get(top)
    return homes is not None and not _is_within(item.module, homes)


def _all_imports() -> list[Import]:
    return [
        item for name, path in modules().items() for item in imports_of(name, Path(path).read_text(encoding="utf-8"))
    ]


def test_every_module_has_a_row() -> None:
    assert [name for name in modules() if name != "ratemlx" and part_of(name) == ""] == []


def test_imports_go_one_way() -> None:
    assert breaches(_all_imports()) == []


@pytest.mark.parametrize("package", LAZY)
def test_optional_and_slow_packages_are_imported_lazily_in_few_modules(package: str) -> None:
    found = [item for item in _all_imports() if item.name.partition(".")[0] == package]
    assert [str(item) for item in found if not item.lazy] == []
    importers = {item.module for item in found if not item.for_types}
    assert len(importers) <= LAZY[package], importers


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("ratemlx.runtime.plan", "import sympy"),
        ("ratemlx.runtime.plan", "def f():\n    from ratemlx.ir.model import Model"),
        ("ratemlx.lems.parse", "from ratemlx.ir import model"),
        ("ratemlx.ir.build", "from ratemlx import targets"),
        ("ratemlx.errors", "from ratemlx.runtime import plan"),
    ],
)
def test_the_check_sees_a_breach(module: str, text: str) -> None:
    assert len(breaches(imports_of(module, text))) == 1
