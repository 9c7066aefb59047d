"""Transfer functions from a package of its own and from single files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ratemlx.errors import ModelError, PluginError
from ratemlx.load import load
from ratemlx.transfer.registry import builtin_registry, default_registry

EXAMPLE = Path(__file__).parents[1] / "example_plugin"

PLUGIN = """
import sympy as sp
from ratemlx.transfer import transfer_function

@transfer_function(arguments=["x"], coefficients=["gain"], outputs={"F": ""})
def threshold_linear(let, x, gain):
    let("F", gain * sp.Max(x, 0))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example package."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "example"
    shutil.copytree(EXAMPLE, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


def test_an_installed_package_adds_a_function(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))
    registry = default_registry()
    assert registry.names() == tuple(sorted((*builtin_registry().names(), "threshold_linear")))
    model = load(EXAMPLE / "model.xml")
    assert model.transfer_functions["F"].evaluate(x=[0.0, 3.0])["F"].tolist() == [
        0.01,
        pytest.approx(0.01 * (3 + 13**0.5) / 2, rel=1e-15),
    ]
    assert model.transfer_functions["F"].derivative("x", x=0.0) == 0.005


def test_without_the_package_the_model_says_so() -> None:
    with pytest.raises(ModelError) as caught:
        load(EXAMPLE / "model.xml")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "there is no transfer function 'threshold_linear'"
    names = ", ".join(builtin_registry().names())
    assert diagnostic.hint == f"there are {names}; --plugin FILE.py or a package adds more"


def test_a_single_file_adds_a_function(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN, encoding="utf-8")
    model = load(EXAMPLE / "model.xml", [path])
    assert model.transfer_functions["F"].evaluate(x=[-1.0, 2.0])["F"].tolist() == [0.0, 0.02]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\ny = 1 / 0\n", "{path}:2: ZeroDivisionError: division by zero"),
        ("def f(:\n", "{path}:1: invalid syntax"),
        (
            "import a_module_that_is_not_there\n",
            "{path}:1: ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
        ),
        ("raise SystemExit(0)\n", "{path}:1: SystemExit: 0"),
        (PLUGIN.replace("gain * ", "gian * "), "{path}:7: NameError: name 'gian' is not defined"),
        (PLUGIN.replace('let("F"', 'let("G"'), "{origin}: the output 'F' is not the name of a statement"),
        (
            PLUGIN.replace("threshold_linear", "zerlaut"),
            "{path} defines the transfer function 'zerlaut', which exists already",
        ),
        ("x = 1\n", "{path} defines no transfer function"),
    ],
)
def test_mistakes_in_a_plugin_file(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        default_registry([path])
    origin = "transfer function 'threshold_linear' (ratemlx_plugin_mine)"
    assert caught.value.message == message.format(path=path, origin=origin)


def test_a_plugin_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"there is no plugin file .*none\.py"):
        default_registry([tmp_path / "none.py"])


def test_an_unknown_function() -> None:
    with pytest.raises(PluginError, match="there is no transfer function 'none'"):
        builtin_registry().get("none")
