"""Launchers are recognised by the variables that they were seen to set; tasks that MPI does not connect are refused."""

from __future__ import annotations

from ast import literal_eval

import pytest

from ratemlx.errors import ClusterError
from ratemlx.runtime.launch import Launch, check_launch, find_launch
from tests.support.ranks import is_open_mpi, python_on_ranks


def _variables(text: str) -> dict[str, str]:
    return dict(line.strip().split("=", 1) for line in text.strip().splitlines())


BATCH_SCRIPT = _variables("""
    SLURM_JOB_ID=1
    SLURM_LOCALID=0
    SLURM_NNODES=1
    SLURM_NODEID=0
    SLURM_NPROCS=2
    SLURM_NTASKS=2
    SLURM_PROCID=0
    SLURM_TASKS_PER_NODE=2
""")
"""In a script of Slurm 22.05's sbatch -n 2, outside of srun."""

SALLOC = _variables("""
    SLURM_JOB_ID=2
    SLURM_NPROCS=2
    SLURM_NTASKS=2
""")

STEP = BATCH_SCRIPT | _variables("""
    SLURM_STEPID=1
    SLURM_STEP_ID=1
    SLURM_STEP_LAUNCHER_PORT=36291
    SLURM_STEP_NODELIST=vm
    SLURM_STEP_NUM_NODES=1
    SLURM_STEP_NUM_TASKS=2
    SLURM_STEP_TASKS_PER_NODE=2
    SLURM_PROCID=1
    SLURM_LOCALID=1
""")
"""The second task of srun -n 2 in that script."""

PMI2_STEP = STEP | {"PMI_FD": "13", "PMI_JOBID": "1.2", "PMI_RANK": "1", "PMI_SIZE": "2"}
"""The same of srun --mpi=pmi2."""

ONE_TASK_STEP = STEP | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}

HYDRA = _variables("""
    MPI_LOCALNRANKS=2
    MPI_LOCALRANKID=1
    PMI_FD=11
    PMI_HOSTNAME=vm
    PMI_RANK=1
    PMI_SIZE=2
""")
"""The second rank of MPICH 5.0's mpirun -n 2."""

HYDRA_IN_A_JOB = HYDRA | ONE_TASK_STEP
"""The same in a batch script: its daemon is a step of one task."""

OPEN_MPI = _variables("""
    OMPI_COMM_WORLD_LOCAL_RANK=1
    OMPI_COMM_WORLD_LOCAL_SIZE=2
    OMPI_COMM_WORLD_NODE_RANK=1
    OMPI_COMM_WORLD_RANK=1
    OMPI_COMM_WORLD_SIZE=2
    OMPI_UNIVERSE_SIZE=2
    PMIX_NAMESPACE=prterun-vm-31666@1
    PMIX_RANK=1
""")
"""The second rank of Open MPI 5.0's mpirun -n 2."""

SEEN = {
    "nothing": ({}, None),
    "batch script": (BATCH_SCRIPT, None),
    "salloc": (SALLOC, None),
    "salloc with an interactive step": (SALLOC | {"SLURM_STEP_ID": "4294967290", "SLURM_STEP_NUM_TASKS": "2"}, None),
    "srun --pty bash": (STEP | {"SLURM_PTY_PORT": "43173"}, None),
    "srun": (STEP, Launch(1, 2, 1, "srun")),
    "srun --mpi=pmi2": (PMI2_STEP, Launch(1, 2, 1, "srun")),
    "srun -n 1": (ONE_TASK_STEP, Launch(0, 1, 0, "srun")),
    "mpirun of MPICH": (HYDRA, Launch(1, 2, 1, "mpirun (MPICH)")),
    "mpirun of MPICH in a job": (HYDRA_IN_A_JOB, Launch(1, 2, 1, "mpirun (MPICH)")),
    "mpirun of Open MPI": (OPEN_MPI, Launch(1, 2, 1, "mpirun (Open MPI)")),
    "mpirun of Open MPI in a job": (OPEN_MPI | ONE_TASK_STEP, Launch(1, 2, 1, "mpirun (Open MPI)")),
}

DOCUMENTED = {
    "PALS": (
        {"PALS_RANKID": "5", "PALS_LOCAL_RANKID": "1", "PMI_RANK": "5", "PMI_SIZE": "8"},
        Launch(5, 8, 1, "mpiexec (PALS)"),
    ),
    "MVAPICH2": (
        {"MV2_COMM_WORLD_RANK": "3", "MV2_COMM_WORLD_SIZE": "4", "MV2_COMM_WORLD_LOCAL_RANK": "1", "PMI_RANK": "3"},
        Launch(3, 4, 1, "mpirun (MVAPICH2)"),
    ),
    "Flux": (
        {"FLUX_TASK_RANK": "3", "FLUX_JOB_SIZE": "4", "FLUX_TASK_LOCAL_ID": "1", "PMI_RANK": "3", "PMI_SIZE": "4"},
        Launch(3, 4, 1, "flux run"),
    ),
    "jsrun": (
        {"JSM_NAMESPACE_RANK": "3", "JSM_NAMESPACE_SIZE": "4", "JSM_NAMESPACE_LOCAL_RANK": "1"},
        Launch(3, 4, 1, "jsrun"),
    ),
    "PMI without a local rank": ({"PMI_RANK": "3", "PMI_SIZE": "4"}, Launch(3, 4, None, "mpirun (MPICH)")),
}
"""What the manuals of launchers say that could not be started here."""


@pytest.mark.parametrize("name", [*SEEN, *DOCUMENTED])
def test_a_launcher_is_recognised(name: str) -> None:
    environment, expected = (SEEN | DOCUMENTED)[name]
    assert find_launch(environment) == expected


@pytest.mark.parametrize(
    "values",
    [("", "2"), ("1", ""), ("-1", "2"), ("2", "2"), ("one", "2"), ("0x1", "2"), ("\u0661", "2"), ("1" * 5000, "2")],
)
def test_values_that_make_no_sense_are_no_launch(values: tuple[str, str]) -> None:
    assert find_launch({"OMPI_COMM_WORLD_RANK": values[0], "OMPI_COMM_WORLD_SIZE": values[1]}) is None


@pytest.mark.parametrize("mpi_size", [None, 1, 2])
@pytest.mark.parametrize("launch", [None, Launch(0, 1, 0, "srun")])
def test_one_task_needs_no_mpi(launch: Launch | None, mpi_size: int | None) -> None:
    check_launch(launch, mpi_size)


def test_tasks_that_mpi_connects_are_fine() -> None:
    check_launch(Launch(1, 2, 1, "srun"), 2)


def test_srun_without_mpi_is_refused() -> None:
    with pytest.raises(ClusterError, match="srun started 1,024 tasks, but MPI sees only one") as refused:
        check_launch(Launch(7, 1024, 3, "srun"), 1)
    assert refused.value.hint is not None
    assert "srun --mpi=pmi2" in refused.value.hint
    assert "--mpi=pmix" in refused.value.hint


def test_another_mpi_than_the_launchers_is_refused() -> None:
    with pytest.raises(ClusterError, match=r"mpirun \(Open MPI\) started 4 tasks") as refused:
        check_launch(Launch(0, 4, 0, "mpirun (Open MPI)"), 1)
    assert refused.value.hint is not None
    assert "mpirun of that library" in refused.value.hint


def test_a_missing_mpi4py_is_named() -> None:
    with pytest.raises(ClusterError, match="mpi4py is not installed") as refused:
        check_launch(Launch(0, 4, 0, "srun"), None)
    assert refused.value.hint is not None
    assert "ratemlx[mpi]" in refused.value.hint


PRINT_LAUNCH = """
import os
from ratemlx.runtime.launch import find_launch
launch = find_launch(os.environ)
print((launch.rank, launch.size, launch.local_rank, launch.launcher))
"""


def test_a_real_mpirun_is_recognised() -> None:
    launcher = f"mpirun ({'Open MPI' if is_open_mpi() else 'MPICH'})"
    told = [literal_eval(text) for text in python_on_ranks(3, PRINT_LAUNCH)]
    assert [(rank, size, name) for rank, size, _, name in told] == [(rank, 3, launcher) for rank in range(3)]
    assert {local_rank for _, _, local_rank, _ in told} == {0, 1, 2}, "in any order: Open MPI deals ranks to sockets"
