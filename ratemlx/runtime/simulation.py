"""A run from beginning to end: check, plan, run, keep. What every interface calls, on every rank."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np

from ratemlx.errors import InternalError, RatemlxError
from ratemlx.runtime.analysis import Analysis, on_host
from ratemlx.runtime.batch import BatchResult, Place
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.disk import describe_written, to_be_written
from ratemlx.runtime.engine import Engine, Hooks, load_kernel
from ratemlx.runtime.folder_lock import locked
from ratemlx.runtime.limits import analyses_on_device, common_limits, open_own_device, own_threads
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.parts import own_places
from ratemlx.runtime.plan import Plan, check_result_fits, make_plan
from ratemlx.runtime.plan_text import describe, part_ended
from ratemlx.runtime.progress import ANALYSING, KEEPING, SIMULATING, Analysed, Progress
from ratemlx.runtime.provenance import provenance
from ratemlx.runtime.rates import expected_analysis, remember_rate
from ratemlx.runtime.series import series_info
from ratemlx.runtime.sharing import Every, OneBehind, Sharing
from ratemlx.runtime.spec import Job, RunSpec, prepare
from ratemlx.runtime.stopping import Deadline, interruptible, interrupts_handled
from ratemlx.runtime.world import World, nobody_waits, open_world, together

INGEST_SECONDS = 5.0
"""How often rank 0 puts finished batches into the database."""
TELLING_SECONDS = 1.0
"""Shortest time of computing from which the rate of a device is learnt."""
LONGEST_INGEST = 2.0
"""Seconds for that, in which rank 0 does not compute, nor hears that it is to stop."""

if TYPE_CHECKING:
    from ratemlx.runtime.arrays import AnyArray, Int64s
    from ratemlx.runtime.plan import Limits
    from ratemlx.runtime.result import Result
    from ratemlx.runtime.run_folder import RunFolder
    from ratemlx.runtime.stock import Stock


def run(spec: RunSpec, progress: Progress | None = None, world: World | None = None) -> Result | None:
    """Run a generated folder and give its results; raises RatemlxError of the fitting kind.

    With `spec.output`, finished batches are on disk when this is interrupted, and the next call goes on with them.
    Under MPI all ranks call this; rank 0 alone tells progress and gets the results, the others None, as rank 0 does
    for a part of a sweep. Raises Stopped when a signal or the time limit ends it.
    """
    deadline = Deadline(spec.max_time)
    world = world or open_world()
    told = progress if progress is not None and world.rank == 0 else Progress()
    with interrupts_handled(), nobody_waits(world):
        job = together(world, lambda: prepare(spec, world.size))
        threads = own_threads(spec, world)
        device = together(world, lambda: open_own_device(spec, world, threads))
        try:
            task = _Task(job, device, threads, world, told, deadline)
            result = task.in_memory() if spec.output is None else task.to_disk()
        finally:
            device.close()
    if spec.figure and spec.output is not None and result is not None and result.series is not None:
        from ratemlx.runtime.figure import draw_traces
        from ratemlx.runtime.result import FIGURE_FILE

        draw_traces(result, spec.output / FIGURE_FILE)
    return result


def plan_run(spec: RunSpec, world: World | None = None) -> list[str]:
    """The plan of a run in words, without running it; raises what `run` would raise before it begins."""
    world = world or open_world()
    with nobody_waits(world):
        job = together(world, lambda: prepare(spec, world.size))
        threads = own_threads(spec, world)
        device = together(world, lambda: open_own_device(spec, world, threads))
        try:
            task = _Task(job, device, threads, world, Progress(), Deadline(None))
            plan = together(world, lambda: task.plan(own_places(job)))
            return [*describe(job, plan, device.name), *task.disk(plan)]
        finally:
            device.close()


class _Task:
    """One job on the device of this rank; metrics are computed on `threads` of its cores."""

    def __init__(
        self, job: Job, device: Device, threads: int, world: World, progress: Progress, deadline: Deadline
    ) -> None:
        self._job, self._device, self._world = job, device, world
        self._progress, self._deadline = progress, deadline
        self._limits: Limits = common_limits(job, device, world)
        self.analysis = together(world, lambda: Analysis(job, self._limits.lanes, threads))

    def plan(self, pending: Int64s | None) -> Plan:
        """Batches for the pending instances; the same on all ranks."""
        job = self._job
        return make_plan(
            job.manifest,
            job.edges,
            job.timing,
            job.parameters.speeds,
            precision=job.spec.precision,
            n_observed=len(job.observed),
            limits=self._limits,
            pending=pending,
            observer_bytes=self.analysis.bytes_per_instance,
            keeps_series=self.analysis.needs_series,
            history=job.spec.history,
        )

    @property
    def _where(self) -> str:
        """What computes, in words."""
        size = self._world.size
        return self._device.name if size == 1 else f"{self._device.name} on each of {size} ranks"

    def disk(self, plan: Plan) -> tuple[str, ...]:
        """What a run of the plan writes, in words; nothing without a folder."""
        folder = self._job.spec.output
        return () if folder is None else (describe_written(to_be_written(self._job, self.analysis, plan), folder),)

    def in_memory(self) -> Result:
        """Everything in memory, for one process."""
        from ratemlx.runtime.kept_arrays import FITNESS, Collected
        from ratemlx.runtime.result import make_result

        job, analysis, plan = self._job, self.analysis, self.plan(None)
        info = series_info(job)
        keeps = analysis.keep.which == "all"
        if keeps:
            check_result_fits(plan, free_memory())
        series = np.empty(info.sizes, dtype=job.dtype) if keeps else None
        diverged_at = np.empty(info.n_instances, dtype=np.int32)
        entries = analysis.catalogue.metrics
        regions = (len(info.regions),)
        found: dict[str, AnyArray] = {
            item.column: np.full((info.n_instances, *(regions if item.regional else ())), np.nan) for item in entries
        }

        collected = Collected(analysis.n_best, analysis.arrays_of_all)

        def keep(batch: BatchResult) -> None:
            if series is not None and batch.series is not None:
                series[batch.instances] = on_host(batch.series)
            diverged_at[batch.instances] = batch.diverged_at
            with interruptible():
                findings = analysis.evaluate(batch)
            for name, values in findings.all_columns.items():
                found[name][batch.instances] = values
            collected.add(analysis.arrays(batch, findings, batch.instances), found.get(FITNESS))

        self._progress.announce([*describe(job, plan, self._where), *analysis.notes])
        self._compute(plan, keep, lambda: None)
        metrics = {item: found[item.column] for item in entries}
        record = provenance(job, self._device, notes=analysis.notes)
        return make_result(info, series, diverged_at, record, metrics, collected.read, job.warnings)

    def to_disk(self) -> Result | None:
        """Every batch to a shard by the rank that computed it; rank 0 keeps the folder."""
        world, job = self._world, self._job
        with ExitStack() as held:
            folder = together(world, lambda: held.enter_context(self._own_folder()) if world.rank == 0 else None)
            stock = world.broadcast(None if folder is None else folder.stock())
            if stock.complete:
                self._progress.announce([f"{job.spec.output} holds this run already, complete"])
            else:
                self._fill(folder, stock)
            if job.spec.part is not None:
                self._progress.announce(part_ended(job))
            return None if folder is None or job.spec.part is not None else folder.result()

    @contextmanager
    def _own_folder(self) -> Iterator[RunFolder]:
        """The folder of results, locked and open; for rank 0."""
        from ratemlx.runtime.run_folder import RunFolder, folder_of

        path = folder_of(self._job)
        with locked(path):
            record = provenance(self._job, self._device, self._world.size, self.analysis.notes)
            folder = RunFolder(self._job, self.analysis, record)
            self._tell_warnings(folder)
            try:
                yield folder
            finally:
                self._tell_warnings(folder)

    def _tell_warnings(self, folder: RunFolder) -> None:
        """Each once."""
        told = folder.store.warnings
        while told:
            self._progress.warn(told.pop(0))

    def _fill(self, folder: RunFolder | None, stock: Stock) -> None:
        """Compute what is pending; on rank 0, put it into the database as it comes and finish the folder."""
        from ratemlx.runtime.run_folder import writer_of

        job, analysis, world = self._job, self.analysis, self._world
        pending = stock.places
        plan = together(world, lambda: self.plan(pending))
        if len(set(world.gather(plan.digest))) > 1:
            raise InternalError("ranks made different plans of the same run")
        disk = () if folder is None else (describe_written(folder.to_be_written(plan), folder.path),)
        self._progress.announce([*describe(job, plan, self._where, stock.finished), *disk, *analysis.notes])
        if job.spec.restart:
            together(world, lambda: self._try_loading(plan))
        together(world, lambda: folder.begin(plan, self._progress.warn) if folder is not None else None)
        writer = writer_of(job, world.rank)
        every = Every(INGEST_SECONDS)
        written: list[str] = []

        def keep(batch: BatchResult) -> None:
            with interruptible():
                shard = analysis.shard(batch, stock.numbers_of(batch.instances))
            written.append(writer.keep(shard).name)

        def look_after() -> None:
            if folder is not None and every.due():
                folder.store.ingest(LONGEST_INGEST)

        try:
            if plan.n_instances:
                self._compute(plan, keep, look_after)
        except BaseException:
            # Finished batches are safe in their shards; in the database they can be looked at too.
            if folder is not None:
                with suppress(RatemlxError):
                    folder.store.ingest(LONGEST_INGEST)
            raise
        names = [name for of_rank in world.gather(written) for name in of_rank]
        together(world, lambda: self._finish(folder, names) if folder is not None else None)

    def _try_loading(self, plan: Plan) -> None:
        """Compile and load all that the plan needs, and see that there is time, before an old run is discarded."""
        for block in sorted({group.block for group in plan.groups}):
            load_kernel(self._job, block, plan.limits.lanes, self._device, self._progress)
        self.analysis.observers_on(self._device)
        self._deadline.check()

    def _finish(self, folder: RunFolder, names: Sequence[str]) -> None:
        """End a run, or its part, whose ranks have written shards of these names."""
        folder.store.expect(names)
        if self._job.spec.part is None:
            folder.finish()
        else:
            folder.store.ingest()

    def _compute(self, plan: Plan, keep: Callable[[BatchResult], None], look_after: Callable[[], None]) -> None:
        """All waves of the plan, shared out among the ranks; raises on all of them what ended the work of one."""
        units = self._world.broadcast(self._analysis_units(plan) if self._world.rank == 0 else None)
        self._progress.begin(plan.n_instances * (plan.timing.n_steps + units), plan.n_instances)
        try:
            with Sharing(self._world, self._deadline, self._progress) as sharing:

                def work() -> None:
                    with sharing.one_for_all():
                        self._work(plan, keep, look_after, sharing, Analysed(sharing.progress, units))
                        sharing.wait_for_others(look_after)

                together(self._world, work, hears=False)
        finally:
            self._progress.end()

    def _analysis_units(self, plan: Plan) -> int:
        """Work of analysing an instance, in steps that could be simulated meanwhile."""
        return round(plan.timing.n_steps * expected_analysis(self._job, self._device, plan.limits.lanes))

    def _work(
        self,
        plan: Plan,
        keep: Callable[[BatchResult], None],
        look_after: Callable[[], None],
        sharing: Sharing,
        analysed: Analysed,
    ) -> None:
        """The waves that fall to this rank; analysis runs beside a device that has a memory of its own."""

        def between_chunks() -> None:
            sharing.check()
            analysed.tell()
            look_after()

        def analyse(batch: BatchResult) -> None:
            started = time.perf_counter()
            if inline:
                self._progress.stage(ANALYSING if self._job.spec.outputs.computes else KEEPING)
            keep(batch)
            self._progress.stage(SIMULATING)
            analysed.add(len(batch.instances), time.perf_counter() - started)

        analysis, device = self.analysis, self._device
        where: Place = "device" if analyses_on_device(self._job, device) else "host"
        place = where if analysis.needs_series else None
        with interruptible():
            observers = analysis.observers_on(device)
        inline = device.target == "cpp" or place == "device"
        with OneBehind(analyse, analysis.give_up) as later:
            hooks = Hooks(
                analyse if inline else later,
                check=between_chunks,
                observers=observers,
                series=place,
            )
            engine = Engine(self._job, plan, device, hooks, sharing.progress)
            for number in sharing.each(len(plan.waves)):
                wave = plan.waves[number]
                # How long it will take is known of the waves before it.
                if engine.rate and not self._deadline.leaves(plan.work_of(wave) / engine.rate):
                    sharing.leave_rest()
                    break
                engine.run([wave])
                analysed.tell()
            later.wait()
            analysed.tell()
        simulated = engine.seconds - (analysed.seconds if inline else 0.0)
        share = analysed.seconds / simulated if simulated > 0 else 0.0
        # A device with little to do, or for a moment only, tells nothing of what it can.
        busy = plan.n_instances >= self._world.size * device.workers * plan.limits.lanes
        if busy and engine.seconds >= TELLING_SECONDS:
            remember_rate(self._job, device, plan.limits.lanes, engine.rate, share)
