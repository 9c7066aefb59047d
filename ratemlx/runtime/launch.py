"""How this process was launched, by the variables that launchers set: mpirun, srun and their kin.

Knows environments as mappings, and nothing of MPI itself: what the launcher says is compared with what MPI sees, so
that N tasks that cannot find each other are one error, and not N copies of the whole sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ratemlx.errors import ClusterError

SRUN = "srun"
FIRST_SPECIAL_STEP = 4_294_967_280
"""Steps of Slurm from here on are no launches: 0xfffffffa is salloc's shell, 0xfffffffb a batch script."""


@dataclass(frozen=True)
class Launch:
    """One of `size` tasks that a launcher started; `local_rank` counts those of one node, None if it does not tell."""

    rank: int
    size: int
    local_rank: int | None
    launcher: str


@dataclass(frozen=True)
class _Variables:
    """The names under which one family of launchers tells rank, number of tasks, and rank on the node."""

    launcher: str
    rank: str
    size: str
    local_rank: str


FAMILIES = (
    _Variables("mpirun (Open MPI)", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    _Variables("jsrun", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_LOCAL_RANK"),
    _Variables("mpirun (MVAPICH2)", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_RANK"),
    _Variables("flux run", "FLUX_TASK_RANK", "FLUX_JOB_SIZE", "FLUX_TASK_LOCAL_ID"),
    _Variables("mpiexec (PALS)", "PALS_RANKID", "PMI_SIZE", "PALS_LOCAL_RANKID"),
    # Hydra, of MPICH and Intel MPI. Also set by `srun --mpi=pmi2`, which leaves out the local rank.
    _Variables("mpirun (MPICH)", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    # The last: an mpirun within a job starts its daemons by srun, and their variables are still there in its tasks.
    _Variables(SRUN, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
)
"""The innermost launcher first."""


def find_launch(environment: Mapping[str, str]) -> Launch | None:
    """How a process with this environment was launched; None if it was started plainly, as within a batch script."""
    slurm = _slurm_step(environment)
    for variables in FAMILIES:
        launch = slurm if variables.launcher == SRUN else _read(environment, variables)
        if launch is None:
            continue
        is_step = slurm is not None and (slurm.rank, slurm.size) == (launch.rank, launch.size)
        return slurm if is_step and launch.local_rank is None else launch
    return None


def check_launch(launch: Launch | None, mpi_size: int | None) -> None:
    """Refuse tasks that MPI does not connect; `mpi_size` is the size of MPI's world, None without mpi4py.

    Raises ClusterError if the launcher started several tasks and each of them believes to be alone.
    """
    if launch is None or launch.size == 1 or (mpi_size is not None and mpi_size > 1):
        return
    if mpi_size is None:
        raise ClusterError(
            f"{launch.launcher} started {launch.size:,} tasks, but mpi4py is not installed: each would run the whole "
            f"sweep",
            "install it into the same Python (pip install 'ratemlx[mpi]'), built for the MPI of this cluster; or "
            "start one task",
        )
    raise ClusterError(
        f"{launch.launcher} started {launch.size:,} tasks, but MPI sees only one: each would run the whole sweep",
        _hint(launch.launcher),
    )


def _hint(launcher: str) -> str:
    if launcher == SRUN:
        return (
            "srun needs to know the kind of MPI: srun --mpi=pmi2 (MPICH, Intel MPI) or --mpi=pmix (Open MPI); "
            "srun --mpi=list shows what there is; and mpi4py must be built for the same MPI"
        )
    return (
        "mpi4py uses another MPI library than this launcher: start with the mpirun of that library "
        "(python -m mpi4py --mpi-lib-version tells which), or install mpi4py for this one"
    )


def _slurm_step(environment: Mapping[str, str]) -> Launch | None:
    """What srun says of its task. A batch script and salloc have SLURM_PROCID or SLURM_NTASKS too, but no step."""
    step = _count(environment, "SLURM_STEP_ID", "SLURM_STEPID")
    if step is None or step >= FIRST_SPECIAL_STEP or "SLURM_PTY_PORT" in environment:
        return None
    return _read(environment, FAMILIES[-1])


def _read(environment: Mapping[str, str], variables: _Variables) -> Launch | None:
    """The launch by one family's variables; None if they are not set, or make no sense together."""
    rank, size = _count(environment, variables.rank), _count(environment, variables.size)
    if rank is None or size is None or rank >= size:
        return None
    return Launch(rank, size, _count(environment, variables.local_rank), variables.launcher)


def _count(environment: Mapping[str, str], *names: str) -> int | None:
    """The whole number of the first of these variables that has one."""
    for name in names:
        text = environment.get(name, "")
        if text.isascii() and text.isdigit() and len(text) <= 10:
            return int(text)
    return None
