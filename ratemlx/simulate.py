"""`ratemlx.simulate`: a model's name in, labelled results out. Everything the command line does is a call of this.

Generates the kernel into the cache when it is not there, and hands the rest to the runtime.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import warn

from ratemlx.abi import MANIFEST_NAME, HistoryPrecision, Integrator, Manifest, Precision
from ratemlx.errors import SweepError
from ratemlx.fitness import FitnessSettings
from ratemlx.observables.settings import BoldSettings
from ratemlx.runtime import RunSpec, open_result, run
from ratemlx.runtime.cache import cache_folder, writing_cache
from ratemlx.runtime.check_spec import as_mapping
from ratemlx.runtime.devices import parse_device
from ratemlx.runtime.outputs import make_fitness, make_outputs
from ratemlx.runtime.parameters import one_number
from ratemlx.runtime.regional import FILE_MARK, is_regional, is_uniform
from ratemlx.runtime.settings_text import parse_output
from ratemlx.runtime.spec import check
from ratemlx.runtime.stimulus import Stimulus
from ratemlx.runtime.world import nobody_waits, open_world, together

if TYPE_CHECKING:
    from ratemlx.ir.model import Model
    from ratemlx.runtime import Connectome, Result

NOT_YET = Path("not-generated")
"""The folder of a spec whose kernel is still to be generated."""


def simulate(
    model: str | Path | Model,
    *,
    sweep: Mapping[str, object] | None = None,
    samples: object = None,
    params: Mapping[str, object] | None = None,
    connectome: str | Path | Connectome = "tvb:68",
    normalization: str = "out-strength",
    duration: float = 1000.0,
    dt: float = 0.1,
    period: float = 1.0,
    conduction_speed: object = None,
    stimuli: Mapping[str, object] | None = None,
    initial: Mapping[str, object] | None = None,
    target: str = "cpu",
    precision: Precision = "float32",
    history: HistoryPrecision | None = None,
    integrator: Integrator = "euler",
    noise: bool = True,
    common_noise: bool = False,
    seed: int = 42,
    observe: Sequence[str] | None = None,
    threads: int | None = None,
    batch_size: int | None = None,
    metrics: str | Sequence[str] = (),
    transient: float = 0.0,
    bold: float | BoldSettings | None = None,
    fcd_window: float = 1000.0,
    fcd_step: float = 100.0,
    keep: str | None = None,
    keep_fc: bool = False,
    fitness: FitnessSettings | str | Sequence[str] | Mapping[str, float] | None = None,
    reference: str | Path | None = None,
    reference_order: str | None = None,
    max_time: float | None = None,
    output: str | Path | None = None,
    restart: bool = False,
    progress: bool = False,
    plugins: Sequence[str | Path] = (),
) -> Result:
    """Simulate every point of a sweep on a connectome and give time series, parameters and status of each.

    `model` is a shipped name, a path to XML, a loaded model, or a generated folder. `sweep` maps parameters to lists
    of values or (start, stop, count), and their product is run; `samples` is a table of points instead. `params` sets
    a parameter or a constant for all points, to a number or to one per region (an array, a mapping from region labels,
    or "@file"); a parameter that is swept as well is the product. `stimuli` maps the model's inputs to time courses:
    an expression in t (ms), an array, "@file", or a `Stimulus`, which also has a pattern over regions. Times in ms,
    conduction speed in mm/ms. `metrics` are computed of the samples after `transient` ms, dynamics of functional
    connectivity in windows of `fcd_window` ms every `fcd_step` ms; `bold` adds BOLD signals with a volume every so many
    ms, or as `BoldSettings` say; `keep` tells which time series stay ("all", "none", "best", "best:N"), and `keep_fc`
    whether the functional connectivity of all instances does. `fitness` names the terms to rank instances by, or maps
    them to weights, or is a `FitnessSettings`; `Result.best` has the best. With `output`,
    results are written there batch by batch, and a run that was cut short goes on; under MPI all ranks call this.
    Values outside the model's ranges are allowed and warned about. Raises RatemlxError: ModelError, SweepError,
    MetricError, ConnectomeError, KernelError, DeviceError or ResultError.
    """
    from ratemlx.runtime.progress import progress_for

    settings = as_mapping("params", params)
    source = kernel_source(model, target, plugins, settings)
    spec_given = RunSpec(
        folder=NOT_YET,
        connectome=connectome,
        normalization=normalization,
        sweep=sweep or {},
        samples=samples,
        params=settings,
        conduction_speed=conduction_speed,
        stimuli={name: as_stimulus(item) for name, item in as_mapping("stimuli", stimuli).items()},
        initial=initial or {},
        duration=duration,
        dt=dt,
        period=period,
        precision=precision,
        history=history,
        integrator=integrator,
        noise=noise,
        common_noise=common_noise,
        seed=seed,
        observe=None if observe is None else (observe,) if isinstance(observe, str) else tuple(observe),
        device=target,
        threads=threads,
        batch_size=batch_size,
        output=None if output is None else parse_output(output),
        restart=restart,
        figure=output is not None,
        outputs=make_outputs(
            metrics=metrics,
            plugins=tuple(map(Path, plugins)),
            transient=transient,
            bold=bold,
            keep=keep,
            keep_fc=keep_fc,
            fcd_window=fcd_window,
            fcd_step=fcd_step,
            fitness=(
                fitness
                if isinstance(fitness, FitnessSettings)
                else make_fitness(terms=fitness, reference=reference, reference_order=reference_order)
            ),
        ),
        max_time=max_time,
    )
    world = open_world()
    with nobody_waits(world):
        spec = together(world, lambda: with_kernel(spec_given, source))
    result = run(spec, progress_for(quiet=not progress), world)
    world.gather(None)
    if result is None:
        assert spec.output is not None
        result = open_result(spec.output)
    for remark in result.warnings:
        warn(remark, stacklevel=2)
    return result


def as_stimulus(value: object) -> Stimulus:
    """A stimulus from what a user wrote: an expression in t becomes a function of time; raises ModelError."""
    stimulus = value if isinstance(value, Stimulus) else Stimulus(value)
    if isinstance(stimulus.course, str) and not stimulus.course.startswith(FILE_MARK):
        from ratemlx.ir.time_course import time_course

        return replace(stimulus, course=time_course(stimulus.course))
    return stimulus


def generated_folder(
    model: str | Path | Model,
    target: str = "cpu",
    plugins: Sequence[str | Path] = (),
    params: Mapping[str, object] | None = None,
) -> Path:
    """The folder with a model's kernel for a device: as given, or generated into the cache; raises RatemlxError.

    Constants among `params` get their values in the model itself, so that they shape the kernel; those that differ
    between regions become parameters of it.
    """
    return _generate(kernel_source(model, target, plugins, params), target)


def kernel_source(
    model: str | Path | Model,
    target: str = "cpu",
    plugins: Sequence[str | Path] = (),
    params: Mapping[str, object] | None = None,
) -> Model | Path:
    """What a kernel is made of: a checked model with the constants of `params`, or a generated folder, as it is."""
    if isinstance(model, str | Path) and (Path(model) / MANIFEST_NAME).is_file():
        return Path(model)
    parse_device(target)
    if isinstance(model, str | Path):
        from ratemlx.load import load

        model = load(model, plugins)
    elif not hasattr(model, "state_variables"):
        raise SweepError(f"a model is a name, a path or what ratemlx.load gives; this is {model!r}")
    constants = {item.name for item in model.constants}
    given = {name: value for name, value in (params or {}).items() if name in constants}
    if given:
        from ratemlx.ir.override import free_constants, override_constants

        varying = [name for name, value in given.items() if is_regional(value) and not is_uniform(value)]
        values = {name: one_number(name, value) for name, value in given.items() if name not in varying}
        model = free_constants(override_constants(model, values), varying)
    return model


def source_manifest(source: Model | Path, target: str) -> Manifest:
    """All names of a model, without generating its kernel."""
    if isinstance(source, Path):
        return Manifest.load(source)
    from ratemlx.targets.manifest import outline

    return outline(source, parse_device(target).target)


def with_kernel(spec: RunSpec, source: Model | Path) -> RunSpec:
    """The spec with the folder of its kernel, which is generated when all that needs no kernel has been checked."""
    spec = check(spec, source_manifest(source, spec.device))
    return replace(spec, folder=_generate(source, spec.device))


def _generate(source: Model | Path, target: str) -> Path:
    if isinstance(source, Path):
        return source
    from ratemlx.targets import render

    return _cached(source.name, render(source, parse_device(target).target))


def _cached(name: str, files: Mapping[str, str]) -> Path:
    """A folder with these files; its name is a hash of them, so what is in the cache is never stale."""
    digest = hashlib.blake2b(digest_size=12)
    for part in (part for item in sorted(files.items()) for part in item):
        digest.update(f"{len(part)}:{part}".encode())
    parent = cache_folder("generated")
    folder = parent / f"{name[:40]}-{digest.hexdigest()}"
    if not folder.is_dir():
        with writing_cache(parent):
            _write_whole(folder, files)
    return folder


def _write_whole(folder: Path, files: Mapping[str, str]) -> None:
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for file, text in files.items():
            (temporary / file).write_text(text, encoding="utf-8")
        temporary.rename(folder)
    except OSError:
        # Another process was faster: a folder is renamed only when it is whole, so theirs is as good.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
