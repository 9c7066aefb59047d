"""Generated folders: what is in them, that they compile without a warning, that no text of a model leaks into code."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ratemlx import abi
from ratemlx.errors import KernelError, RatemlxError
from ratemlx.load import load
from ratemlx.resources import INCLUDE, shipped_models
from ratemlx.runtime.devices.compiler import find_compiler
from ratemlx.targets import generate, render, target_names

SUFFIX = {"cpp": ".cpp", "cuda": ".cu"}
MODELS = tuple(shipped_models())


def test_targets_are_found() -> None:
    assert {"cpp", "cuda"} <= set(target_names())


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(RatemlxError, match="unknown target 'fpga'"):
        render(load("montbrio"), "fpga")


@pytest.mark.parametrize("name", MODELS)
def test_both_kernels_have_the_same_body(name: str) -> None:
    model = load(name)
    bodies = []
    for target in ("cpp", "cuda"):
        text = render(model, target)[name + SUFFIX[target]]
        start, end = text.index("// --- constants"), text.index("using namespace")
        bodies.append(text[start:end])
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("variant", ["", "-DRATEMLX_FLOAT64", "-DRATEMLX_INTEGRATOR=2 -DRATEMLX_NOISE=0"])
@pytest.mark.parametrize("target", SUFFIX)
@pytest.mark.parametrize("name", ["adex_first_order", "kuramoto", "montbrio"])
def test_kernels_compile_without_a_warning(name: str, target: str, variant: str, tmp_path: Path) -> None:
    folder = tmp_path / "kernel"
    generate(load(name), target, folder)
    strict = ["-std=c++17", "-O1", "-march=native", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++"]
    command = [
        *find_compiler().command,
        *strict,
        *variant.split(),
        f"-I{INCLUDE}",
        str(folder / (name + SUFFIX[target])),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]


def test_all_constants_can_be_overridden_or_are_said_to_be_fixed() -> None:
    files = render(load("adex"), "cpp")
    manifest = abi.Manifest.from_json(files["manifest.json"])
    source = files["adex.cpp"]
    for constant in manifest.constants:
        if constant.macro:
            used = f"#ifndef {constant.macro}\n#define {constant.macro} {constant.value!r}\n" in source
            assert used or constant.macro not in source
        else:
            assert f"//   {constant.name} = {constant.value!r}\n" in source
    with pytest.raises(KernelError, match="constant E_e shaped this kernel's arithmetic"):
        abi.definitions(manifest, lanes=8, block=1, constants={"E_e": 1.0})
    assert abi.definitions(manifest, lanes=8, block=1, constants={"C_m": 150.0})["RATEMLX_C_C_m"] == "150.0"


def test_a_manifest_survives_its_json() -> None:
    text = render(load("adex"), "cuda")["manifest.json"]
    assert abi.Manifest.from_json(text).to_json() == text


def test_a_manifest_of_another_version_is_refused() -> None:
    text = render(load("montbrio"), "cpp")["manifest.json"]
    other = text.replace(f'"abi_version": {abi.ABI_VERSION}', '"abi_version": 99')
    with pytest.raises(KernelError, match="ABI version 99"):
        abi.Manifest.from_json(other)


HOSTILE = '*/ ${1+1} <% import os %> \\\n## x\n% for a in b:\n"""\'\'\'{{7*7}}; system("id");\u2028#error\r#error ??/'


def test_descriptions_stay_comments_whatever_they_say() -> None:
    model = load("montbrio")
    hostile = replace(
        model,
        description=HOSTILE,
        reference=HOSTILE,
        parameters=tuple(replace(item, description=HOSTILE) for item in model.parameters),
        constants=tuple(replace(item, description=HOSTILE) for item in model.constants),
        state_variables=tuple(replace(item, description=HOSTILE) for item in model.state_variables),
        exposures=tuple(replace(item, description=HOSTILE) for item in model.exposures),
    )
    for target, suffix in SUFFIX.items():
        plain, marked = render(model, target), render(hostile, target)
        assert _code(plain["montbrio" + suffix]) == _code(marked["montbrio" + suffix])
        compile(marked["driver.py"], "driver.py", "exec")
        assert abi.Manifest.from_json(marked["manifest.json"]).description == HOSTILE


def _code(text: str) -> str:
    """A source without its comments and line structure."""
    return " ".join(re.sub(r"//[^\n]*", "", text).split())


def test_generation_leaves_nothing_half_written(tmp_path: Path) -> None:
    blocked = tmp_path / "montbrio.cpp"
    blocked.mkdir()
    with pytest.raises(RatemlxError, match="cannot write"):
        generate(load("montbrio"), "cpp", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["montbrio.cpp"]
