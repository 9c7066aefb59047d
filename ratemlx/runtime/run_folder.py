"""A run's folder as rank 0 sees it: opened for a job, whose points it numbers.

Knows jobs and the store; nothing of kernels.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.analysis import Analysis
from ratemlx.runtime.arrays import Bools, Int64s
from ratemlx.runtime.cache import replacing, temporary_pattern
from ratemlx.runtime.disk import Written, check_disk, to_be_written
from ratemlx.runtime.fingerprint import differences, digest, fingerprint
from ratemlx.runtime.finishing import finish, keeps_series, told, write_points
from ratemlx.runtime.open_folder import read_result
from ratemlx.runtime.parts import Whole, discard_parts, discardable, part_folder, share
from ratemlx.runtime.plan import Plan
from ratemlx.runtime.result import FIGURE_FILE, PARAMETERS_FILE, RUN_FILE, SERIES_FILE, Result, read_run_file
from ratemlx.runtime.spec import Job
from ratemlx.runtime.stock import Stock
from ratemlx.store import Points, RunStore, ShardWriter
from ratemlx.store.discarding import Found, what_is_there

REPORT_FILE = "report.html"
REFERENCES_FILE = "references.npz"
OUR_FILES = (SERIES_FILE, PARAMETERS_FILE, FIGURE_FILE, REFERENCES_FILE, REPORT_FILE)


def folder_of(job: Job) -> Path:
    """Where a run writes: its folder, or that of its part."""
    folder, part = job.spec.output, job.spec.part
    assert folder is not None
    return folder if part is None else part_folder(folder, part)


def writer_of(job: Job, rank: int) -> ShardWriter:
    """What keeps the batches of a rank."""
    return ShardWriter(folder_of(job), digest(fingerprint(job)), rank)


class RunFolder:
    """Opened by the one owner, who holds the folder's lock."""

    def __init__(self, job: Job, analysis: Analysis, provenance: Mapping[str, Any]) -> None:
        """Open or create; raises ResultError if the folder holds another run and `restart` is not given.

        What `restart` discards is there until `begin`: a run that is refused before is as if it had not been tried.
        """
        self.path, self._job, self._analysis = folder_of(job), job, analysis
        parts = fingerprint(job)
        self._check_nothing_is_left()
        whole = Whole.of(job.spec.output, parts, digest(parts)) if job.spec.part and job.spec.output else None
        self.store = RunStore.open(
            self.path,
            digest(parts),
            analysis.catalogue,
            points_of(job, provenance),
            {**provenance, "fingerprint": parts},
            restart=job.spec.restart,
            explain=lambda record: differences(record.get("fingerprint") or {}, parts),
            earlier=() if whole is None else whole.sweeps,
        )
        self._places = slice(None) if job.spec.part is None else share(job.spec.part, job.sweep.n_instances)
        self._merged = None if whole is None or job.spec.restart else whole.finished(self.store, self._places)
        self._old = self._find_old() if job.spec.restart else []
        self._sweep_up()

    @property
    def numbers(self) -> Int64s:
        """The number in this folder of every point of the job."""
        return self.store.registration.instances

    @property
    def complete(self) -> bool:
        """Whether every point of the job is there, and what is made of them at the end."""
        return not self._job.spec.restart and self.store.complete and self._all_written()

    def pending(self) -> Int64s:
        """Points of the job that are to be computed, each once, as places in its sweep; only those of its part."""
        missing = ~self._finished()
        registration = self.store.registration
        chosen = missing & registration.new
        # Unfinished points of an earlier sweep, which may stand in this one several times.
        others = np.flatnonzero(missing & (registration.instances < registration.first))
        if len(others):
            _, first = np.unique(registration.instances[others], return_index=True)
            chosen[others[first]] = True
        return np.arange(len(chosen))[self._places][chosen[self._places]]

    def _finished(self) -> Bools:
        """Which points of the job have results here, or where its part will be merged into."""
        finished = self.store.finished()
        return finished if self._merged is None else finished | self._merged

    def stock(self) -> Stock:
        """What other ranks must know of it."""
        finished = int(self._finished()[self._places].sum())
        return Stock.of(self.numbers, self.pending(), finished=finished, complete=self.complete)

    def to_be_written(self, plan: Plan) -> Written:
        """What computing the plan adds to the folder."""
        written = to_be_written(self._job, self._analysis, plan, len(self.store.present()))
        return replace(written, freed=sum(item.n_bytes for item in self._old))

    def begin(self, plan: Plan, warn: Callable[[str], None]) -> None:
        """Discard what `restart` replaces, after telling it, and write the parameters.

        Raises ResultError when the disk is too small, and discards nothing then.
        """
        check_disk(self.to_be_written(plan), self.path)
        if self._job.spec.restart:
            if self._old:
                warn(f"--restart discards what is in {self.path}: {'; '.join(map(str, self._old))}")
            if self._job.spec.part is None:
                discard_parts(self.path, OUR_FILES)
            self.store.begin_anew(OUR_FILES)
        write_points(self.store)
        self._write_references()

    def _write_references(self) -> None:
        """What fitness compares with, for the report: raw weights, and reference matrices by exposure."""
        fitness, anatomy = self._analysis.fitness, self._job.anatomy
        if fitness is None:
            return
        matrices = fitness.reference_matrices(anatomy.n_regions)
        arrays = {"weights": anatomy.weights, **{f"FC.{name}": matrix for name, matrix in matrices.items()}}
        with told(self.path), replacing(self.path / REFERENCES_FILE) as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    def finish(self) -> None:
        """Put series together and mark the run complete; raises ResultError if instances are missing."""
        finish(self.store, {"warnings": list(self._job.warnings)})

    def result(self) -> Result:
        """The results of the job's own points; raises ResultError."""
        return replace(read_result(self.path, read_run_file(self.path), self.numbers), warnings=self._job.warnings)

    def _all_written(self) -> bool:
        record = read_run_file(self.path)
        series = not keeps_series(self.store) or (self.path / SERIES_FILE).exists()
        return bool(record.get("complete")) and series

    def _find_old(self) -> list[Found]:
        """What there is to discard; raises ResultError if a part is running that would be."""
        of_parts = discardable(self.path) if self._job.spec.part is None else []
        return [*what_is_there(self.path, OUR_FILES), *of_parts]

    def _check_nothing_is_left(self) -> None:
        if self._job.spec.restart or (self.path / RUN_FILE).exists() or not (self.path / SERIES_FILE).exists():
            return
        raise ResultError(
            f"{self.path} holds {SERIES_FILE} and no {RUN_FILE}, which would say of which run it is",
            "choose another folder, or add --restart to replace what is there",
        )

    def _sweep_up(self) -> None:
        """Remove what a killed process had no time to: files half written."""
        for name in OUR_FILES:
            for leftover in self.path.glob(temporary_pattern(name)):
                leftover.unlink(missing_ok=True)


def points_of(job: Job, provenance: Mapping[str, Any]) -> Points:
    """The job's sweep as the store registers it."""
    swept = {axis.name: axis.values for axis in job.sweep.axes}
    fixed = {name: float(values[0]) for name, values in job.parameters.columns.items() if name not in swept}
    command = _to_type(provenance.get("command", ()))
    return Points(job.sweep.kind, swept, fixed, command, str(provenance.get("date", "")))


def _to_type(command: Sequence[object]) -> str:
    """A command as it can be typed again, without the folder that a shell finds programs in by itself."""
    program, *words = map(str, command or ("",))
    return shlex.join([Path(program).name if Path(program).name == "ratemlx" else program, *words])
