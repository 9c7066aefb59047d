"""The ranks of MPI as a world. The one module that imports mpi4py, when a launcher has started several tasks."""

from __future__ import annotations

import os
import sys
from typing import Any, TypeVar

import numpy as np

from ratemlx.errors import ClusterError
from ratemlx.runtime.launch import Launch
from ratemlx.runtime.stopping import shielded

T = TypeVar("T")
NEXT, DONE, STOP, LEFT = range(4)


def open_mpi(launch: Launch) -> MpiWorld:
    """Join the other ranks; raises ClusterError where mpi4py or its MPI library is missing."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ClusterError(
            f"{launch.launcher} started {launch.size} tasks, and mpi4py cannot be used: {error}",
            "pip install mpi4py, built for the MPI of this cluster; or start one process only",
        ) from error
    return MpiWorld(MPI)


class MpiWorld:
    """All ranks of COMM_WORLD."""

    def __init__(self, mpi: Any) -> None:
        self._mpi, self._comm = mpi, mpi.COMM_WORLD
        local = self._comm.Split_type(mpi.COMM_TYPE_SHARED)
        self.rank, self.size = int(self._comm.rank), int(self._comm.size)
        self.local_rank, self.local_size = int(local.rank), int(local.size)
        local.Free()
        self.threads_may_call = bool(mpi.Query_thread() >= mpi.THREAD_MULTIPLE)

    def broadcast(self, value: T | None) -> T:
        """What rank 0 gives, to all."""
        return self._comm.bcast(value, root=0)  # type: ignore[no-any-return]

    def gather(self, value: T) -> list[T]:
        """What each gives, in the order of ranks, to all."""
        return list(self._comm.allgather(value))

    def serve(self) -> None:
        """Let MPI make progress with what other ranks want."""
        self._comm.Iprobe()

    def shares(self) -> MpiShares:
        """A counter that lives on rank 0."""
        return MpiShares(self._mpi, self._comm)

    def abort(self, code: int) -> None:
        """End all ranks."""
        sys.stderr.flush()
        self._comm.Abort(code)
        # Some libraries come back, and have the launcher end this process a moment later.
        os._exit(code)


class MpiShares:
    """Some numbers in a window of rank 0's memory, which all ranks change by one-sided operations."""

    def __init__(self, mpi: Any, comm: Any) -> None:
        self._mpi, self._comm = mpi, comm
        item = mpi.INT64_T.Get_size()
        self._window = mpi.Win.Allocate((LEFT + 1) * item if comm.rank == 0 else 0, item, comm=comm)
        if comm.rank == 0:
            np.frombuffer(self._window.tomemory(), dtype=np.int64)[:] = 0
        comm.Barrier()
        self._window.Lock_all()

    def next(self) -> int:
        """The next number that nobody has."""
        return self._add(NEXT, 1)

    def add_done(self, amount: int) -> None:
        """Add to what all have done."""
        self._add(DONE, amount)

    def done(self) -> int:
        """How much all have done."""
        return self._add(DONE, 0)

    def stop(self) -> None:
        """Ask all ranks to stop."""
        self._add(STOP, 1)

    def stop_asked(self) -> bool:
        """Whether one of them asked."""
        return self._add(STOP, 0) > 0

    def leave(self) -> None:
        """Tell that nothing is left to do here."""
        self._add(LEFT, 1)

    def left(self) -> int:
        """How many ranks have nothing left to do."""
        return self._add(LEFT, 0)

    def close(self) -> None:
        """Free the window; all ranks call this together."""
        self._window.Unlock_all()
        self._window.Free()

    def _add(self, place: int, amount: int) -> int:
        """Add to one of the numbers and give what it was before."""
        given, before = np.array([amount], dtype=np.int64), np.empty(1, dtype=np.int64)
        # A signal between the two would free memory that MPI still writes to.
        with shielded():
            self._window.Fetch_and_op(given, before, 0, place, self._mpi.SUM)
            self._window.Flush(0)
        # Some MPI libraries serve others only while they are called.
        self._comm.Iprobe()
        return int(before[0])
