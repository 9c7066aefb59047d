"""`ratemlx generate`: write the kernels of models, or check that the written ones are up to date."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ratemlx.cli.options import PluginOption

if TYPE_CHECKING:
    from ratemlx.ir.model import Model

ALL = "all"
CUDA: Literal["cuda"] = "cuda"
SHOWN_LINES = 20
"""Lines of a difference that `--check` prints of each file."""


def generate(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="Shipped names or paths to XML files.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All shipped models.")] = False,
    target: Annotated[
        str, typer.Option(metavar="NAME", help="Target to generate for, such as cpp or cuda, or all.")
    ] = ALL,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder that holds MODEL/TARGET/ folders.")
    ] = Path("generated"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if a file differs from what would be written.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Other value of a constant. Repeatable."),
    ] = None,
    regional: Annotated[
        list[str] | None,
        typer.Option("--regional", metavar="NAME", help="Constant that may differ between regions. Repeatable."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(metavar="SM,...", help="Also compile the cuda kernel for these GPUs, such as sm_80,sm_90."),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Generate kernels from models.

    Writes a kernel's source, its driver and its manifest into DIR/MODEL/TARGET/. With --arch the cuda kernel is also
    compiled into the cache, for machines that share the cache and have no compiler; no GPU is needed for that.

    \b
    Examples:
      ratemlx generate adex --target cuda
      ratemlx generate adex --target cuda --arch sm_80,sm_90
      ratemlx generate my_model.xml --plugin my_transfer_function.py -o kernels
      ratemlx generate adex --set b_i=5 -o with_b_i
      ratemlx generate --all --check
    """
    from ratemlx.ir.override import free_constants, override_constants
    from ratemlx.load import load
    from ratemlx.resources import shipped_models
    from ratemlx.runtime.settings_text import parse_settings

    if every == bool(models):
        raise typer.BadParameter("name models or give --all, one of the two", param_hint="MODEL")
    targets = _targets(target)
    architectures = _architectures(arch, targets, check)
    constants = parse_settings(settings or ())
    up_to_date = True
    for name in shipped_models() if every else models or ():
        model = free_constants(override_constants(load(name, plugin or ()), constants), regional or ())
        for one in targets:
            if check:
                up_to_date &= _check(model, one, output)
            else:
                _write(model, one, output)
        for architecture in architectures:
            _compile(output / model.name / CUDA, architecture)
    if not up_to_date:
        raise typer.Exit(1)


def _targets(wanted: str) -> tuple[str, ...]:
    from ratemlx.targets import target_names

    known = target_names()
    if wanted == ALL:
        return known
    if wanted not in known:
        raise typer.BadParameter(f"no target {wanted!r}; there are {', '.join(known)} and {ALL}", param_hint="--target")
    return (wanted,)


def _architectures(text: str | None, targets: tuple[str, ...], check: bool) -> tuple[str, ...]:
    """The architectures to compile for, all of them known before anything is written."""
    if text is None:
        return ()
    from ratemlx.runtime.devices.cuda_architecture import parse_architecture

    if CUDA not in targets or check:
        raise typer.BadParameter(f"goes with --target {CUDA} and without --check", param_hint="--arch")
    return tuple(str(parse_architecture(part)) for part in text.split(","))


def _compile(folder: Path, architecture: str) -> None:
    import numpy as np

    from ratemlx.abi import Manifest
    from ratemlx.observables import programs
    from ratemlx.observables.layout import Layout
    from ratemlx.runtime.devices.cuda_architecture import parse_architecture
    from ratemlx.runtime.devices.cuda_compile import LANES, all_compilers, compile_for, default_variants, device_code

    for chosen in default_variants(Manifest.load(folder)):
        print(compile_for(folder, architecture, chosen))
    # Streamed metrics and BOLD have programs of their own, the same for every model.
    layout = Layout(n_regions=1, exposures=(), period=1.0, n_samples=1, lanes=LANES, dtype=np.dtype(np.float32))
    for name in programs.SOURCES:
        chosen = programs.definitions(layout, CUDA)
        print(device_code(programs.source(name), chosen, parse_architecture(architecture), all_compilers()))


def _write(model: Model, target: str, output: Path) -> None:
    from ratemlx.targets import generate as write

    for path in write(model, target, output / model.name / target):
        print(path)


def _check(model: Model, target: str, output: Path) -> bool:
    from ratemlx.targets import render

    differences = list(differing_files(output / model.name / target, render(model, target)))
    for line in differences:
        print(line)
    return not differences


def differing_files(folder: Path, expected: Mapping[str, str]) -> Iterator[str]:
    """What to say of each file of a generated folder that is missing, left over or different."""
    present = {path.name for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()
    for name in sorted(present - expected.keys()):
        yield f"{folder / name}: left over, nothing generates it"
    for name, text in expected.items():
        if name not in present:
            yield f"{folder / name}: missing"
        elif (folder / name).read_bytes() != text.encode():
            yield f"{folder / name}: differs\n{_difference((folder / name).read_bytes(), text)}"


def _difference(present: bytes, expected: str) -> str:
    lines = difflib.unified_diff(
        present.decode(errors="replace").splitlines(), expected.splitlines(), "present", "expected", lineterm="", n=1
    )
    shown = list(islice(lines, SHOWN_LINES + 1))
    return "\n".join(f"  {line}" for line in shown[:SHOWN_LINES]) + "\n  ..." * (len(shown) > SHOWN_LINES)
