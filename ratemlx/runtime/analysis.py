"""From a finished batch to what is kept of it: metrics, fitness, arrays of the best instances, kept series.

Made once per run and checked against it, so that its columns are known before anything runs. Knows arrays and what
metrics, fitness and observables give; nothing of devices' memory or of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratemlx import metrics
from ratemlx.errors import MetricError
from ratemlx.fitness import Fitness, rank
from ratemlx.fitness import prepare as prepare_fitness
from ratemlx.fitness.ranking import BEST
from ratemlx.metrics import Metric, Recording, Statistics
from ratemlx.metrics.blas import one_thread
from ratemlx.metrics.dynamic_connectivity import FEWEST_WINDOWS, n_windows
from ratemlx.metrics.recording import RATE_UNITS
from ratemlx.observables import bold as bold_signal
from ratemlx.observables.base import Observer
from ratemlx.observables.correlation import matrices
from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import BoldSettings, ObservableSettings
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.runtime.batch import BatchResult
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.kept_arrays import FITNESS
from ratemlx.runtime.parameters import sweepable
from ratemlx.runtime.plan import BatchPlan
from ratemlx.runtime.spec import Job
from ratemlx.runtime.workers import Workers
from ratemlx.store import Catalogue, MetricEntry, ParameterEntry, Ranking, Shard, StoredArray
from ratemlx.store.matrices import BOLD_SUFFIX, FC_NAME, SERIES_NAME, full, symmetric

DYNAMICS = "dynamics"
WINDOWED = {"sliding_window_fcd", "fcd_variance"}
"""Metrics of windows, which are undefined where a recording has too few of them."""
ROWS_AT_A_TIME = 16


@dataclass(frozen=True, eq=False)
class Findings:
    """What was made of a batch: columns (instance,), regional columns (instance, region), recordings by exposure."""

    columns: Mapping[str, Floats]
    regional: Mapping[str, Floats]
    recordings: Mapping[str, Recording]

    @property
    def all_columns(self) -> dict[str, Floats]:
        """Columns of both kinds."""
        return {**self.columns, **self.regional}


class Analysis:
    """What one run computes of its batches; raises RatemlxError of the fitting kind for what cannot be had of it.

    `lanes` are those of the tiles that observables see; `threads` share the evaluation of metrics.
    """

    def __init__(self, job: Job, lanes: int, threads: int = 1) -> None:
        outputs = job.spec.outputs
        self.keep = outputs.kept
        self._job, self._workers = job, Workers(threads)
        self._layout = Layout(
            n_regions=job.connectome.n_regions,
            exposures=job.observed,
            period=job.timing.period,
            n_samples=job.timing.n_samples,
            lanes=lanes,
            dtype=job.dtype,
        )
        self._first = self._layout.first_kept(outputs.transient) if outputs.computes else 0
        self._units = {item.name: item.unit for item in job.manifest.exposures}
        self._chosen, self._of_rates_only = self._split()
        metrics.check(self._chosen, self._layout.n_samples - self._first, job.timing.period)
        self.fitness = self._fitness()
        self._check_windows()
        self._of_bold, self._left_out = self._metrics_of_bold()
        self.needs_series = self.keep.which != "none" or self._looks_at_series()
        self.observation = self._observation()

    @property
    def bytes_per_instance(self) -> int:
        """Bytes of a device's memory that observables take for an instance."""
        return 0 if self.observation is None else self.observation.bytes_per_instance

    def observers_on(self, device: Device) -> Callable[[BatchPlan], Sequence[Observer]]:
        """What makes the observers of a batch, compiled for a device; raises KernelError or DeviceError."""
        if self.observation is None:
            return lambda _: ()
        make = self.observation.open(device)
        return lambda batch: make(len(batch.instances), batch.chunk_samples)

    @property
    def notes(self) -> tuple[str, ...]:
        """What people might not expect."""
        left_out = ", ".join(item.name for item in self._left_out)
        remark = f"there are too few BOLD volumes for {left_out}, which is taken of the other exposures only"
        of_fitness = () if self.fitness is None else self.fitness.notes
        return (*of_fitness, *((remark,) if left_out else ()), *self._note_of_rates())

    @property
    def catalogue(self) -> Catalogue:
        """The columns of the database."""
        job = self._job
        ranking = None if self.fitness is None else Ranking(FITNESS, self.n_best, of_all=self.arrays_of_all)
        return Catalogue(
            parameters=tuple(
                ParameterEntry(name, item.unit, item.description, item.default)
                for name, item in sweepable(job.manifest).items()
            ),
            metrics=self._entries,
            regions=job.connectome.region_labels,
            seed=job.spec.seed,
            ranking=ranking,
        )

    def evaluate(self, batch: BatchResult) -> Findings:
        """Metrics and fitness of a batch; values that are not defined are NaN, those of diverged instances all are."""
        recordings = self._recordings(batch)
        of_exposures = {name: item for name, item in recordings.items() if not name.endswith(BOLD_SUFFIX)}
        of_bold = {name: item for name, item in recordings.items() if name.endswith(BOLD_SUFFIX)}
        parts = [
            metrics.evaluate(chosen, some, each=self._workers)
            for chosen, some in ((self._chosen, of_exposures), (self._of_bold, of_bold))
            if chosen and some
        ]
        columns = {name: values for part in parts for name, values in part.columns.items()}
        regional = {name: values for part in parts for name, values in part.regional.items()}
        if self.fitness is not None:
            columns |= self.fitness.evaluate(recordings, each=self._workers)
        lost = batch.diverged_at >= 0
        for values in (*columns.values(), *regional.values()):
            values[lost] = np.nan
        return Findings(columns, regional, recordings)

    def give_up(self) -> None:
        """End soon what is being evaluated on another thread: nobody waits for it any more."""
        self._workers.give_up()

    def shard(self, batch: BatchResult, numbers: Int64s) -> Shard:
        """What is stored of a batch; `numbers` are those of its instances in the run's folder.

        Raises CancelledError once it was given up, for by then the folder may be somebody else's.
        """
        found = self.evaluate(batch)
        self._workers.check()
        entries = self._entries
        names = tuple(item.column for item in entries if not item.regional)
        regional_names = tuple(item.column for item in entries if item.regional)
        return Shard(
            instances=numbers,
            diverged_at=batch.diverged_at,
            column_names=names,
            columns=np.stack([found.columns[name] for name in names], axis=-1) if names else None,
            regional_names=regional_names,
            regional=(
                np.stack([found.regional[name] for name in regional_names], axis=-1).astype(np.float32)
                if regional_names
                else None
            ),
            arrays=self.arrays(batch, found, numbers),
            series=on_host(batch.series) if batch.series is not None and self.keep.which == "all" else None,
        )

    def _split(self) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
        """The metrics that some exposure has, and those that some exposure lacks because it is no rate.

        Raises MetricError if all that is asked for is defined for rates and none is observed.
        """
        outputs = self._job.spec.outputs
        chosen = metrics.select(outputs.metrics, outputs.plugins) if outputs.metrics else ()
        others = self._no_rates
        of_rates = tuple(item for item in chosen if item.needs_rate) if others else ()
        if len(others) < len(self._job.observed):
            return chosen, of_rates
        left = tuple(item for item in chosen if not item.needs_rate)
        if chosen and not left:
            names = " and ".join(item.name for item in of_rates)
            hint = f"observe a rate, whose unit is one of {', '.join(RATE_UNITS)}, or choose other metrics"
            raise MetricError(f"defined for rates only: {names}; none of {', '.join(others)} is one by its unit", hint)
        return left, of_rates

    @property
    def _no_rates(self) -> tuple[str, ...]:
        """Exposures that are no rates by their units."""
        return tuple(name for name in self._job.observed if self._units[name] not in RATE_UNITS)

    def _note_of_rates(self) -> tuple[str, ...]:
        if not self._of_rates_only:
            return ()
        names = ", ".join(item.name for item in self._of_rates_only)
        others = ", ".join(f"{name} ({self._units[name] or 'no unit'})" for name in self._no_rates)
        return (f"defined for firing rates only, and left out of {others}: {names}",)

    def _fitness(self) -> Fitness | None:
        settings = self._job.spec.outputs.fitness
        if settings is None:
            return None
        anatomy = self._job.anatomy
        if settings.exposures is None:
            settings = replace(settings, exposures=self.bold_names or self._rates)
        return prepare_fitness(settings, anatomy.weights, anatomy.tract_lengths, anatomy.region_labels, self._recorded)

    @property
    def _rates(self) -> tuple[str, ...]:
        """Exposures that drive BOLD and that fitness is taken of, unless told otherwise: rates if there are any."""
        names = self._job.observed
        return tuple(name for name in names if self._units[name] in RATE_UNITS) or names

    @property
    def bold_names(self) -> tuple[str, ...]:
        """Names of BOLD recordings; none unless asked for."""
        return () if self._job.spec.outputs.bold is None else tuple(name + BOLD_SUFFIX for name in self._rates)

    @property
    def _recorded(self) -> tuple[str, ...]:
        """Names of all recordings: the exposures, and BOLD signals."""
        return (*self._job.observed, *self.bold_names)

    def _looks_at_series(self) -> bool:
        fitness = self.fitness
        in_fitness = fitness is not None and fitness.needs_series and not set(fitness.exposures) <= set(self.bold_names)
        return in_fitness or any(item.needs == "series" for item in self._chosen)

    def _check_windows(self) -> None:
        """Raise MetricError where functional connectivity dynamics are asked of too few windows."""
        outputs, fitness = self._job.spec.outputs, self.fitness
        of_fitness = () if fitness is None or "FCD" not in fitness.settings.chosen else fitness.exposures
        recorded = {name for name in of_fitness if name not in self.bold_names}
        if recorded or any(item.name in WINDOWED for item in self._chosen):
            count = self._layout.n_samples - self._first
            found = n_windows(count, self._job.timing.period, outputs.fcd_window, outputs.fcd_step)
            _check_windows(found, outputs.fcd_window, "the recording")
        if outputs.bold is not None and set(of_fitness) & set(self.bold_names):
            _check_windows(self._bold_windows(outputs.bold), outputs.bold.fcd_window, "the BOLD signal")

    def _bold_windows(self, bold: BoldSettings) -> int:
        volumes = bold_signal.n_volumes(bold, self._layout, self._first)
        return n_windows(volumes, bold.TR, bold.fcd_window, bold.fcd_step or 2 * bold.TR)

    def _metrics_of_bold(self) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
        """Metrics of connectivity and its dynamics, which are taken of BOLD too; and those that it is too short for."""
        bold = self._job.spec.outputs.bold
        if bold is None:
            return (), ()
        volumes = bold_signal.n_volumes(bold, self._layout, self._first)
        fitting: list[Metric] = []
        others: list[Metric] = []
        for item in self._chosen:
            if item.needs == "fc" or DYNAMICS in item.groups:
                fits = volumes >= item.samples_needed(bold.TR)
                fits = fits and (item.name not in WINDOWED or self._bold_windows(bold) >= FEWEST_WINDOWS)
                (fitting if fits else others).append(item)
        return tuple(fitting), tuple(others)

    def _observation(self) -> Observation | None:
        """What is streamed: BOLD if asked for, moments and connectivity where no series is at hand to take them of."""
        outputs = self._job.spec.outputs
        streams = not self.needs_series and bool(self._chosen or self.fitness is not None or outputs.keep_fc)
        if not streams and outputs.bold is None:
            return None
        needs_fc = self.fitness is not None or outputs.keep_fc or any(item.needs == "fc" for item in self._chosen)
        settings = ObservableSettings(
            transient=outputs.transient,
            moments=streams,
            fc=streams and needs_fc,
            bold=outputs.bold,
            bold_exposures=self._rates,
        )
        return Observation(settings, self._layout)

    @property
    def kept_samples(self) -> int:
        """Samples of an instance that are looked at."""
        return self._layout.n_samples - self._first

    @property
    def bold_volumes(self) -> int:
        """Volumes of a BOLD signal; none unless asked for."""
        bold = self._job.spec.outputs.bold
        return 0 if bold is None else bold_signal.n_volumes(bold, self._layout, self._first)

    @property
    def n_best(self) -> int:
        """How many of the best instances keep their arrays."""
        return self.keep.count if self.keep.which == "best" else BEST

    @property
    def arrays_of_all(self) -> tuple[str, ...]:
        """Names of arrays that are kept of all instances, not only of the best."""
        series = (SERIES_NAME,) if self.keep.which == "all" else ()
        return ((FC_NAME,) if self._job.spec.outputs.keep_fc else ()) + series

    @property
    def _entries(self) -> tuple[MetricEntry, ...]:
        units = {name: self._units[name] for name in self._job.observed}
        columns = metrics.columns(self._chosen, units)
        bold = dict.fromkeys(self.bold_names, "1")
        of_bold = metrics.columns(self._of_bold, bold) if bold else ()
        fitness = () if self.fitness is None else self.fitness.columns()
        return tuple(
            MetricEntry(item.name, item.metric, item.exposure, item.unit, item.description, item.regional)
            for item in (*columns, *of_bold, *fitness)
        )

    def _recordings(self, batch: BatchResult) -> dict[str, Recording]:
        """What there is to look at: series or statistics of each exposure after the transient, and BOLD."""
        found: dict[str, Recording] = {}
        if self._job.spec.outputs.computes and (batch.series is not None or "mean" in batch.observed):
            found = {name: self._recording(batch, name, index) for index, name in enumerate(self._job.observed)}
        bold = self._job.spec.outputs.bold
        if bold is not None:
            for index, name in enumerate(self.bold_names):
                recording = self._make(batch.observed["bold"][:, index], None, bold.TR, "1")
                step = bold.fcd_step or 2 * bold.TR
                found[name] = replace(recording, fcd_window=bold.fcd_window, fcd_step=step)
        return found

    def _recording(self, batch: BatchResult, name: str, index: int) -> Recording:
        values = None if batch.series is None else batch.series[:, index, self._first :]
        statistics = None
        if "mean" in batch.observed:
            given = {key: batch.observed[key][:, index] for key in ("mean", "variance", "minimum", "maximum")}
            statistics = Statistics(**given, fc=self._matrices(batch, index))
        return self._make(values, statistics, self._job.timing.period, self._units[name])

    def _make(self, values: AnyArray | None, statistics: Statistics | None, period: float, unit: str) -> Recording:
        anatomy = self._job.anatomy
        return Recording(
            values=values,
            period=period,
            unit=unit,
            labels=anatomy.region_labels,
            weights=anatomy.weights,
            tract_lengths=anatomy.tract_lengths,
            statistics=statistics,
            references={} if self.fitness is None else self.fitness.references,
            fcd_window=self._job.spec.outputs.fcd_window,
            fcd_step=self._job.spec.outputs.fcd_step,
        )

    def _matrices(self, batch: BatchResult, index: int) -> AnyArray | None:
        """Streamed connectivity of one exposure as full matrices, (instance, region, region)."""
        if "fc" not in batch.observed:
            return None
        return matrices(batch.observed["fc"][:, index])

    def arrays(self, batch: BatchResult, found: Findings, numbers: Int64s) -> tuple[StoredArray, ...]:
        """Connectivity and series to keep of single instances: of all, or of those that may be among the best."""
        usable = np.flatnonzero(batch.diverged_at < 0)
        best: Int64s = np.empty(0, dtype=np.int64)
        if self.fitness is not None:
            places = np.arange(len(numbers))
            best = rank(found.columns[FITNESS], places, self.n_best).instances
        kept: list[StoredArray] = []
        for exposure, recording in found.recordings.items():
            rows = usable if FC_NAME in self.arrays_of_all else best
            kept += [
                symmetric(int(numbers[row]), FC_NAME, exposure, matrix)
                for row, matrix in _connectivity(recording, rows)
            ]
            rows = self._rows_of_series(exposure, usable, best)
            if recording.values is not None and len(rows):
                series = on_host(recording.values[recording.xp.asarray(rows)])
                named = zip(numbers[rows].tolist(), series, strict=True)
                kept += [full(number, SERIES_NAME, exposure, values) for number, values in named]
        return tuple(kept)

    def _rows_of_series(self, exposure: str, usable: Int64s, best: Int64s) -> Int64s:
        """Instances whose series is kept as an array; those of exposures have a file of their own if all are kept."""
        if self.keep.which == "best":
            return best
        return usable if self.keep.which == "all" and exposure in self.bold_names else usable[:0]


def _connectivity(recording: Recording, rows: Int64s) -> Iterator[tuple[int, AnyArray]]:
    """Connectivity of some instances, some at a time: intermediates are several times as large as series."""
    with one_thread():
        for first in range(0, len(rows), ROWS_AT_A_TIME):
            chosen = rows[first : first + ROWS_AT_A_TIME]
            part = recording.pick(chosen)
            yield from zip(chosen.tolist(), part.to_host(part.fc).astype(np.float32), strict=True)


def _check_windows(count: int, window: float, what: str) -> None:
    if count < FEWEST_WINDOWS:
        message = (
            f"{what} has {max(0, count)} windows of {window:g} ms after the transient; there must be {FEWEST_WINDOWS}"
        )
        raise MetricError(message, "simulate for longer, or use shorter windows")


def on_host(array: AnyArray) -> AnyArray:
    """An array in the host's memory: itself, or a copy from the device."""
    return metrics.namespace(array).to_host(array)  # type: ignore[no-any-return]
