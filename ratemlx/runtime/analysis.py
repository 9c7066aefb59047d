"""From a finished batch to what is kept of it: metrics, fitness, arrays of the best instances, kept series.

Made once per run and checked against it, so that its columns are known before anything runs. Knows arrays and what
metrics, fitness and observables give; nothing of devices' memory or of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratemlx import metrics
from ratemlx.fitness import Fitness
from ratemlx.fitness import prepare as prepare_fitness
from ratemlx.metrics import Metric, Recording, Statistics
from ratemlx.metrics.recording import RATE_UNITS
from ratemlx.observables.base import Observer
from ratemlx.observables.correlation import matrices
from ratemlx.observables.layout import Layout
from ratemlx.observables.observation import Observation
from ratemlx.observables.settings import ObservableSettings
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.runtime.batch import BatchResult
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.outputs import BEST
from ratemlx.runtime.parameters import sweepable
from ratemlx.runtime.plan import BatchPlan
from ratemlx.runtime.spec import Job
from ratemlx.store import Catalogue, MetricEntry, ParameterEntry, Ranking, Shard, StoredArray

FITNESS = "fitness"
BOLD_SUFFIX = "_BOLD"
FC_NAME = "FC"
SERIES_NAME = "series"


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
        self._job, self._threads = job, threads
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
        self._chosen: tuple[Metric, ...] = metrics.select(outputs.metrics, outputs.plugins) if outputs.metrics else ()
        metrics.check(self._chosen, self._layout.n_samples - self._first, job.timing.period)
        self._of_bold = tuple(item for item in self._chosen if item.needs == "fc")
        self.fitness = self._fitness()
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
        """What people might not expect of the fitness."""
        return () if self.fitness is None else self.fitness.notes

    @property
    def catalogue(self) -> Catalogue:
        """The columns of the database."""
        job = self._job
        ranking = None if self.fitness is None else Ranking(FITNESS, self._n_best)
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
        recordings = self._recordings(batch) if self._chosen or self.fitness is not None else {}
        of_exposures = {name: item for name, item in recordings.items() if not name.endswith(BOLD_SUFFIX)}
        of_bold = {name: item for name, item in recordings.items() if name.endswith(BOLD_SUFFIX)}
        parts = [
            metrics.evaluate(chosen, some, threads=self._threads)
            for chosen, some in ((self._chosen, of_exposures), (self._of_bold, of_bold))
            if chosen and some
        ]
        columns = {name: values for part in parts for name, values in part.columns.items()}
        regional = {name: values for part in parts for name, values in part.regional.items()}
        if self.fitness is not None:
            columns |= self.fitness.evaluate(recordings, threads=self._threads)
        lost = batch.diverged_at >= 0
        for values in (*columns.values(), *regional.values()):
            values[lost] = np.nan
        return Findings(columns, regional, recordings)

    def shard(self, batch: BatchResult, numbers: Int64s) -> Shard:
        """What is stored of a batch; `numbers` are those of its instances in the run's folder."""
        found = self.evaluate(batch)
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
            arrays=(*self._arrays_of_best(found, numbers), *self._bold_arrays(batch, numbers)),
            series=on_host(batch.series) if batch.series is not None and self.keep.which == "all" else None,
        )

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
        in_fitness = self.fitness is not None and self.fitness.needs_series
        return in_fitness or any(item.needs == "series" for item in self._chosen)

    def _observation(self) -> Observation | None:
        """What is streamed: BOLD if asked for, moments and connectivity where no series is at hand to take them of."""
        outputs = self._job.spec.outputs
        streams = not self.needs_series and bool(self._chosen or self.fitness is not None)
        if not streams and outputs.bold is None:
            return None
        needs_fc = self.fitness is not None or any(item.needs == "fc" for item in self._chosen)
        settings = ObservableSettings(
            transient=outputs.transient,
            moments=streams,
            fc=streams and needs_fc,
            bold=outputs.bold,
            bold_exposures=self._rates,
        )
        return Observation(settings, self._layout)

    @property
    def _n_best(self) -> int:
        return self.keep.count if self.keep.which == "best" else BEST

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
        found = {name: self._recording(batch, name, index) for index, name in enumerate(self._job.observed)}
        bold = self._job.spec.outputs.bold
        if bold is not None:
            for index, name in enumerate(self.bold_names):
                found[name] = self._make(batch.observed["bold"][:, index], None, bold.TR, "1")
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
        )

    def _matrices(self, batch: BatchResult, index: int) -> AnyArray | None:
        """Streamed connectivity of one exposure as full matrices, (instance, region, region)."""
        if "fc" not in batch.observed:
            return None
        return matrices(batch.observed["fc"][:, index])

    def _bold_arrays(self, batch: BatchResult, numbers: Int64s) -> Iterator[StoredArray]:
        """BOLD signals of all instances, where all series are kept; of the best ones they are there already."""
        if self.keep.which != "all" or self.fitness is not None or not self.bold_names:
            return
        for row, number in enumerate(numbers.tolist()):
            for index, name in enumerate(self.bold_names):
                yield _series_of(number, name, batch.observed["bold"][row, index])

    def _arrays_of_best(self, found: Findings, numbers: Int64s) -> Sequence[StoredArray]:
        """Connectivity, and series if they are kept, of the instances of this batch that may be among the best."""
        if self.fitness is None:
            return ()
        keeps = self.keep.which != "none"
        values = found.columns[FITNESS]
        ranked = [int(i) for i in np.lexsort((numbers, -values)) if np.isfinite(values[i])][: self._n_best]
        upper = np.triu_indices(self._layout.n_regions)
        kept: list[StoredArray] = []
        for exposure, recording in found.recordings.items():
            fc, shape = on_host(recording.fc), f"{self._layout.n_regions}x{self._layout.n_regions}/2"
            for row in ranked:
                number = int(numbers[row])
                kept.append(StoredArray(number, FC_NAME, exposure, shape, fc[row][upper].astype(np.float32)))
                if (
                    keeps
                    and recording.values is not None
                    and (self.keep.which == "best" or exposure in self.bold_names)
                ):
                    kept.append(_series_of(number, exposure, on_host(recording.values[row])))
        return kept


def on_host(array: AnyArray) -> AnyArray:
    """An array in the host's memory: itself, or a copy from the device."""
    return metrics.namespace(array).to_host(array)  # type: ignore[no-any-return]


def _series_of(number: int, exposure: str, values: AnyArray) -> StoredArray:
    """The series (time, region) of one instance as it is stored."""
    return StoredArray(number, SERIES_NAME, exposure, "x".join(map(str, values.shape)), np.ascontiguousarray(values))
