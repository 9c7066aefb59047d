"""A run as its user describes it, and the same with everything looked up and checked.

`RunSpec` is what an interface fills in; `prepare` turns it into a `Job` without touching a device, so every mistake
in it is told before anything is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.abi import HistoryPrecision, Integrator, Manifest, Precision
from ratemlx.errors import ClusterError, SweepError
from ratemlx.runtime.arrays import Floats, did_you_mean
from ratemlx.runtime.check_spec import check_fits, check_spec
from ratemlx.runtime.connectome import Connectome
from ratemlx.runtime.connectome_files import load_connectome
from ratemlx.runtime.edges import Edges, edges
from ratemlx.runtime.initial import initial_state
from ratemlx.runtime.outputs import Outputs
from ratemlx.runtime.parameters import (
    CONDUCTION_SPEED,
    ParameterTable,
    outside_range,
    parameter_table,
    speed_parameter,
    split_overrides,
)
from ratemlx.runtime.regional import split_regional
from ratemlx.runtime.repeats import repeated_points
from ratemlx.runtime.stimulus import Stimulus, StimulusArrays, stimulus_arrays
from ratemlx.runtime.sweep import Sweep, check_axes, grid, table
from ratemlx.runtime.sweep_text import read_points
from ratemlx.runtime.timing import Timing, timing


@dataclass(frozen=True, eq=False, kw_only=True)
class RunSpec:
    """One run of a generated folder. Times in ms, conduction speed in mm/ms.

    `sweep` maps parameters to values, (start, stop, count), or one number, and their product is run; `samples` is a
    table of points instead. `params` sets a parameter or a constant for all instances, to a number or to one per
    region; what is swept as well is multiplied with it. `stimuli` drive the model's inputs. `observe` names exposures
    (None: all). `initial` sets states at the start, a number or one per region. `threads` and `batch_size`
    do not alter results; `lanes` alters their rounding. With `output`, results go to that folder batch by batch and a
    run that was cut short goes on; `restart` discards what is there. `outputs` says what to compute of the samples.
    `max_time` (s) stops a run in good time; `part` (i, n) runs the i-th of n parts of the sweep, counted from 0.
    """

    folder: Path
    connectome: str | Path | Connectome = "tvb:68"
    normalization: str = "out-strength"
    sweep: Mapping[str, object] = field(default_factory=dict)
    samples: object = None
    params: Mapping[str, object] = field(default_factory=dict)
    conduction_speed: object = None
    stimuli: Mapping[str, Stimulus] = field(default_factory=dict)
    initial: Mapping[str, object] = field(default_factory=dict)
    duration: float = 1000.0
    dt: float = 0.1
    period: float = 1.0
    precision: Precision = "float32"
    history: HistoryPrecision | None = None
    integrator: Integrator = "euler"
    noise: bool = True
    common_noise: bool = False
    seed: int = 42
    observe: tuple[str, ...] | None = None
    device: str = "cpu"
    arch: str | None = None
    threads: int | None = None
    lanes: int | None = None
    batch_size: int | None = None
    output: Path | None = None
    restart: bool = False
    figure: bool = False
    outputs: Outputs = field(default_factory=Outputs)
    max_time: float | None = None
    part: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """A checked run. `connectome` has normalised weights, `anatomy` the raw ones.

    `initial` has shape (variable, region). `regional` has factors on the parameters, of shape (parameter, region), or
    is None where none varies.
    """

    spec: RunSpec
    manifest: Manifest
    connectome: Connectome
    anatomy: Connectome
    edges: Edges
    sweep: Sweep
    parameters: ParameterTable
    fixed: Mapping[str, float]
    constants: Mapping[str, float]
    regional: Floats | None
    stimuli: StimulusArrays | None
    timing: Timing
    initial: Floats
    observed: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kernel's number type."""
        return np.dtype(self.spec.precision)


def check(spec: RunSpec, manifest: Manifest) -> RunSpec:
    """Refuse what can be told before there is a kernel: time, sweep, connectome; raises what `prepare` would raise.

    Gives the spec with its files read, so that nothing is read twice. The spec's folder is not looked at.
    """
    check_spec(spec)
    timing(spec.dt, spec.period, spec.duration)
    if spec.samples is not None:
        spec = replace(spec, samples=read_points(spec.samples))
    _points(spec, manifest)
    _observed(spec, manifest)
    connectome = load_connectome(spec.connectome)
    connectome.normalized(spec.normalization)
    return replace(spec, connectome=connectome)


def prepare(spec: RunSpec, processes: int = 1) -> Job:
    """Look up and check everything a run of so many processes needs; raises the fitting RatemlxError."""
    if spec.output is None and processes > 1:
        raise ClusterError("several processes need a folder for their results", "add -o DIR")
    if spec.output is None and spec.part is not None:
        raise SweepError("a part of a sweep needs a folder, in which it is merged with the others", "add -o DIR")
    manifest = Manifest.load(spec.folder)
    check_spec(spec)
    times = timing(spec.dt, spec.period, spec.duration)
    sweep, settings = _points(spec, manifest)
    anatomy = load_connectome(spec.connectome)
    connectome = anatomy.normalized(spec.normalization)
    overrides = split_regional(manifest, settings, connectome, sweep.names)
    fixed, constants = split_overrides(manifest, overrides.numbers)
    for name in sweep.names:
        if name in fixed:
            raise SweepError(f"{name} is both set and swept")
    parameters = parameter_table(manifest, sweep.columns(), sweep.n_instances, fixed)
    job = Job(
        spec=spec,
        manifest=manifest,
        connectome=connectome,
        anatomy=anatomy,
        edges=edges(connectome),
        sweep=sweep,
        parameters=parameters,
        fixed=fixed,
        constants=constants,
        regional=overrides.matrix(manifest, connectome.n_regions),
        stimuli=stimulus_arrays(manifest, spec.stimuli, connectome, times),
        timing=times,
        initial=initial_state(manifest, connectome, spec.seed, spec.initial),
        observed=_observed(spec, manifest),
        warnings=(*outside_range(manifest, parameters), *repeated_points(sweep)),
    )
    check_fits(job)
    if spec.output is not None:
        check_axes(job.sweep)
    return job


def _points(spec: RunSpec, manifest: Manifest) -> tuple[Sweep, dict[str, object]]:
    """The sweep, and what is set for all instances."""
    axes = dict(spec.sweep)
    settings = dict(spec.params)
    if spec.conduction_speed is not None:
        kind = settings if np.ndim(spec.conduction_speed) == 0 else axes  # type: ignore[arg-type]
        if CONDUCTION_SPEED in kind or speed_parameter(manifest).name in kind:
            raise SweepError("the conduction speed is given twice")
        kind[CONDUCTION_SPEED] = spec.conduction_speed
    if spec.samples is not None and axes:
        raise SweepError("a table of points and a sweep cannot be combined", "put all columns into the table")
    sweep = grid(manifest, axes) if spec.samples is None else table(manifest, read_points(spec.samples))
    return sweep, settings


def _observed(spec: RunSpec, manifest: Manifest) -> tuple[str, ...]:
    """Exposures to keep, in the model's order."""
    known = tuple(info.name for info in manifest.exposures)
    if spec.observe is None:
        return known
    for name in spec.observe:
        if name not in known:
            raise SweepError(f"{manifest.model} has no exposure {name!r}", did_you_mean(name, known))
    if not spec.observe:
        raise SweepError("nothing is observed", f"exposures: {', '.join(known)}")
    return tuple(name for name in known if name in spec.observe)
