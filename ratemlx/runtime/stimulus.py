"""Stimuli: what drives a model's inputs, as a time course and a pattern over regions.

Knows the manifest, the connectome's labels and files of numbers; no device, and no expressions (who has one gives a
function of time).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.abi import Manifest
from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import AnyArray, Floats, did_you_mean
from ratemlx.runtime.connectome import Connectome
from ratemlx.runtime.regional import FILE_MARK, by_region, read_numbers
from ratemlx.runtime.timing import Timing


@dataclass(frozen=True, eq=False)
class Stimulus:
    """A time course, in the input's unit, times a pattern over regions (1 everywhere if None).

    `course` is an array with a value per step, an array of rows (time in ms, value) between which lines are drawn, a
    file of either ("@course.csv"), or a function of an array of times in ms. `pattern` is an array, a file, or a
    mapping from region labels to numbers (0 in regions it does not name).
    """

    course: Any
    pattern: Any = None


@dataclass(frozen=True, eq=False)
class StimulusArrays:
    """Courses of shape (input, step) and patterns of shape (input, region)."""

    courses: Floats
    patterns: Floats


def stimulus_arrays(
    manifest: Manifest, stimuli: Mapping[str, Stimulus], connectome: Connectome, timing: Timing
) -> StimulusArrays | None:
    """Arrays for all inputs, zero for those without a stimulus; None if there is no stimulus. Raises SweepError."""
    if not stimuli:
        return None
    known = [item.name for item in manifest.inputs]
    for name in stimuli:
        if name not in known:
            hint = did_you_mean(name, known) if known else "declare one: <Input name=... unit=.../>"
            raise SweepError(f"{manifest.model} has no input {name!r}", hint)
    courses = np.zeros((len(known), timing.n_steps))
    patterns = np.zeros((len(known), connectome.n_regions))
    for name, stimulus in stimuli.items():
        courses[known.index(name)] = _course(stimulus.course, timing, name)
        patterns[known.index(name)] = _pattern(stimulus.pattern, connectome, name)
    return StimulusArrays(courses, patterns)


def _pattern(pattern: object, connectome: Connectome, name: str) -> Floats:
    if pattern is None:
        return np.ones(connectome.n_regions)
    return by_region(pattern, connectome, f"the pattern of {name}", missing=0.0)


def _course(course: object, timing: Timing, name: str) -> Floats:
    """Values at the beginning of every step."""
    times: Floats = np.arange(timing.n_steps, dtype=np.float64) * timing.dt
    if isinstance(course, str) and course.startswith(FILE_MARK):
        course = read_numbers(Path(course.removeprefix(FILE_MARK)).expanduser())
    if isinstance(course, Path):
        course = read_numbers(course)
    values = _called(course, times, name) if callable(course) else _sampled(course, times, name)
    if values.shape != times.shape:
        raise SweepError(
            f"the time course of {name} has {values.size:,} values; the run has {times.size:,} steps",
            "give rows of (time in ms, value) to have it interpolated",
        )
    if not np.isfinite(values).all():
        raise SweepError(f"the time course of {name} has values that are not finite")
    return values


def _called(course: Callable[[Floats], AnyArray], times: Floats, name: str) -> Floats:
    try:
        return np.broadcast_to(np.asarray(course(times), dtype=np.float64), times.shape)
    except (TypeError, ValueError) as error:
        raise SweepError(f"the time course of {name} cannot be computed: {error}") from error


def _sampled(course: object, times: Floats, name: str) -> Floats:
    try:
        values = np.array(course, dtype=np.float64)
    except (TypeError, ValueError):
        raise SweepError(f"the time course of {name} is neither numbers nor a function of time") from None
    if values.ndim == 2 and values.shape[1] == 2:
        order = np.diff(values[:, 0])
        if not (order > 0).all():
            raise SweepError(f"the times of the course of {name} must increase")
        interpolated: Floats = np.interp(times, values[:, 0], values[:, 1])
        return interpolated
    return values.reshape(-1)
