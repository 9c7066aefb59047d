"""Our job scripts, submitted to a real Slurm: plain jobs, arrays, requeueing, GPUs, tasks that MPI does not connect.

The run is played by a stand-in called `ratemlx`, which notes how it was started and ends as a run would.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ratemlx.cluster import slurm_script
from ratemlx.cluster.slurm_script import SlurmJob, check_job, job_script, merge_script
from ratemlx.cluster.slurm_site import Site
from tests.house.sources import CHECKOUT
from tests.support.slurm import Slurm, until

pytestmark = pytest.mark.timeout(90)

STAND_IN = f"""#!{sys.executable}
import json, os, signal, sys, time

for name in ("SIGUSR1", "SIGTERM"):
    signal.signal(getattr(signal, name), lambda *_: sys.exit(75))
shown = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_RESTART_COUNT", "CUDA_VISIBLE_DEVICES", "PMI_RANK", "PMI_SIZE")
note = {{name: os.environ[name] for name in shown if name in os.environ}} | {{"arguments": sys.argv[1:]}}
with open("notes.jsonl", "a") as stream:
    stream.write(json.dumps(note) + "\\n")
if "--compile-only" not in sys.argv and sys.argv[1] == "run":
    {{body}}
if sys.argv[1] == "merge" and os.path.exists("slow"):
    time.sleep(300)
"""

JOB = SlurmJob(
    site=Site(name="test"),
    name="sweep",
    arguments=("adex", "--sweep", "b_e=0:100:4", "-o", "results"),
    folder=Path(),
    output="results",
    time="00:05:00",
    tasks_per_node=2,
    mpi="pmi2",
)


class Work:
    """A folder with a stand-in for the run, and the jobs submitted there."""

    def __init__(self, cluster: Slurm, folder: Path, body: str) -> None:
        self.folder = folder
        program = folder / "bin" / "ratemlx"
        program.parent.mkdir()
        program.write_text(STAND_IN.replace("{body}", body), encoding="utf-8")
        program.chmod(0o755)
        path = f"{program.parent}:{cluster.environment['PATH']}"
        self.cluster = replace(cluster, environment=cluster.environment | {"PATH": path})

    def submit(self, job: SlurmJob, *options: str, merge: bool = False) -> int:
        """The number of a job made by our own template."""
        job = check_job(replace(job, folder=self.folder))
        script = self.folder / ("merge.slurm" if merge else "job.slurm")
        script.write_text((merge_script if merge else job_script)(job), encoding="utf-8")
        return self.cluster.submit(script, *options)

    def notes(self) -> list[dict[str, Any]]:
        """How the stand-in was started each time, but for the step that compiles."""
        lines = (self.folder / "notes.jsonl").read_text(encoding="utf-8").splitlines()
        return [note for note in map(json.loads, lines) if "--compile-only" not in note["arguments"]]

    def said(self) -> str:
        """What all jobs have printed."""
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.out")))


ONCE_STOPPED = 'os.environ.get("SLURM_RESTART_COUNT") == "1" or time.sleep(300)'


@pytest.fixture(scope="module", autouse=True)
def near_limit(cluster: Slurm, tmp_path_factory: pytest.TempPathFactory) -> tuple[Work, int]:
    """A job that gets its signal at once. Slurm looks at limits every half minute: it waits beside other tests."""
    work = Work(cluster, tmp_path_factory.mktemp("near_limit"), ONCE_STOPPED)
    return work, work.submit(replace(JOB, time="00:01:00", signal_lead=59, requeue=True), "--nodelist=two")


def test_a_plain_job_runs_all_ranks_once(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "print('done', flush=True)")
    assert cluster.wait(work.submit(JOB)) == ["COMPLETED"], work.said()
    notes = sorted(work.notes(), key=lambda note: note["SLURM_PROCID"])
    assert [note["PMI_RANK"] for note in notes] == ["0", "1"]
    assert all(note["PMI_SIZE"] == "2" for note in notes)
    assert all(note["arguments"] == ["run", *JOB.arguments] for note in notes)
    lines = (tmp_path / "notes.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum("--compile-only" in line for line in lines) == 1
    assert work.said().count("done\n") == 2


def test_each_task_is_shown_its_own_gpu(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "pass")
    assert cluster.wait(work.submit(replace(JOB, gpus_per_node=2))) == ["COMPLETED"], work.said()
    assert sorted(note["CUDA_VISIBLE_DEVICES"] for note in work.notes()) == ["0", "1"]


def test_a_job_of_two_nodes_is_one_run(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "pass")
    assert cluster.wait(work.submit(replace(JOB, nodes=2, gpus_per_node=2))) == ["COMPLETED"], work.said()
    notes = sorted(work.notes(), key=lambda note: note["SLURM_PROCID"])
    assert [note["PMI_RANK"] for note in notes] == ["0", "1", "2", "3"]
    assert [note["PMI_SIZE"] for note in notes] == ["4"] * 4
    assert [note["SLURM_LOCALID"] for note in notes] == ["0", "1", "0", "1"]
    assert sorted(note["CUDA_VISIBLE_DEVICES"] for note in notes[:2]) == ["0", "1"]
    assert sorted(note["CUDA_VISIBLE_DEVICES"] for note in notes[2:]) == ["0", "1"]


def test_ranks_may_share_out_the_gpus_themselves(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "pass")
    site = Site(name="test", gpu_request="gres", gpu_binding="rank")
    job = work.submit(replace(JOB, site=site, gpus_per_node=2))
    assert cluster.wait(job) == ["COMPLETED"], work.said()
    assert [note["CUDA_VISIBLE_DEVICES"] for note in work.notes()] == ["0,1", "0,1"]
    assert sorted(note["SLURM_LOCALID"] for note in work.notes()) == ["0", "1"]


def test_an_array_shares_one_sweep_and_is_merged_once_all_are_done(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "pass")
    job = replace(JOB, parts=3, tasks_per_node=1)
    array = work.submit(job)
    merge = work.submit(job, f"--dependency=afterok:{array}", merge=True)
    assert cluster.wait(merge) == ["COMPLETED"], work.said()
    assert cluster.wait(array) == ["COMPLETED"] * 3
    *parts, last = work.notes()
    assert sorted(note["arguments"][-1] for note in parts) == ["0/3", "1/3", "2/3"]
    assert all(note["arguments"][-2] == "--part" for note in parts)
    assert last["arguments"] == ["merge", "results"]


def test_signals_reach_a_merge(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "pass")
    (tmp_path / "slow").touch()
    job = work.submit(replace(JOB, parts=3), merge=True)
    until(lambda: (tmp_path / "notes.jsonl").exists())
    cluster.run("scancel", "--batch", "--signal=USR1", str(job))
    assert cluster.wait(job) == ["FAILED"]
    assert cluster.state(job)["ExitCode"] == "75:0"


def test_a_preempted_job_goes_on_when_there_is_room_again(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, ONCE_STOPPED)
    job = work.submit(replace(JOB, requeue=True), "--nodelist=one")
    _await_ranks(work)
    urgent = tmp_path / "urgent.sh"
    urgent.write_text(
        "#!/bin/bash\n#SBATCH --nodelist=one --exclusive --partition=urgent --output=/dev/null\nsleep 1\n",
        encoding="utf-8",
    )
    assert cluster.wait(cluster.submit(urgent)) == ["COMPLETED"]
    assert cluster.wait(job) == ["COMPLETED"], work.said()
    assert cluster.state(job)["Restarts"] == "1"
    assert [note.get("SLURM_RESTART_COUNT") for note in work.notes()] == [None, None, "1", "1"]


def test_requeueing_has_an_end(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "time.sleep(300)")
    job = work.submit(replace(JOB, requeue=True, site=Site(name="test", max_requeues=0)))
    _await_ranks(work)
    cluster.run("scancel", "--batch", "--signal=USR1", str(job))
    assert cluster.wait(job) == ["FAILED"]
    assert "not finished after 0 requeues" in work.said()


def test_without_requeue_the_job_says_how_to_go_on(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "time.sleep(300)")
    job = work.submit(JOB)
    _await_ranks(work)
    cluster.run("scancel", "--batch", "--signal=USR1", str(job))
    assert cluster.wait(job) == ["FAILED"]
    assert cluster.state(job)["ExitCode"] == "75:0"
    assert "submit this script again to go on" in work.said()


def test_a_mistake_ends_the_job_before_all_ranks_start(cluster: Slurm, tmp_path: Path) -> None:
    work = Work(cluster, tmp_path, "pass")
    program = tmp_path / "bin" / "ratemlx"
    program.write_text("#!/bin/bash\necho >>started\nexit 2\n", encoding="utf-8")
    job = work.submit(replace(JOB, requeue=True))
    assert cluster.wait(job) == ["FAILED"]
    assert cluster.state(job)["ExitCode"] == "2:0"
    assert (tmp_path / "started").read_text(encoding="utf-8") == "\n"


def test_a_rank_that_crashes_takes_the_others_along(
    cluster: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm_script, "STEP_PATIENCE", 1)
    crash = 'os.kill(os.getpid(), signal.SIGKILL) if os.environ["SLURM_PROCID"] == "1" else time.sleep(300)'
    work = Work(cluster, tmp_path, crash)
    job = work.submit(replace(JOB, requeue=True))
    assert cluster.wait(job) == ["FAILED"], work.said()
    assert cluster.state(job)["Restarts"] == "0"


CHECK_LAUNCH = """
import os
from mpi4py import MPI
from ratemlx.errors import ClusterError
from ratemlx.runtime.launch import check_launch, find_launch

launch = find_launch(os.environ)
try:
    check_launch(launch, MPI.COMM_WORLD.size)
    print(launch, flush=True)
except ClusterError as error:
    print(error.message, flush=True)
"""


def test_tasks_of_srun_without_mpi_are_refused(cluster: Slurm, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text(CHECK_LAUNCH, encoding="utf-8")
    script = tmp_path / "job.sh"
    check = f"{sys.executable} check.py"
    # UCX, which the MPICH of PyPI prefers, does not always find its peers under this PMI.
    settings = f"export PYTHONPATH={CHECKOUT} MPIR_CVAR_CH4_NETMOD=ofi"
    lines = ("#!/bin/bash", "#SBATCH --ntasks=2 --output=%j.out", settings)
    script.write_text("\n".join((*lines, check, f"srun {check}", f"srun --mpi=pmi2 {check}", "")), encoding="utf-8")
    job = cluster.submit(script)
    assert cluster.wait(job) == ["COMPLETED"], (tmp_path / f"{job}.out").read_text(encoding="utf-8")
    told = (tmp_path / f"{job}.out").read_text(encoding="utf-8").splitlines()
    # srun itself may have words of its own, when the step before has not yet given its nodes back.
    plain, *tasks = (line for line in told if not line.startswith("srun: "))
    refused = "srun started 2 tasks, but MPI sees only one: each would run the whole sweep"
    assert plain == "None"
    assert tasks[:2] == [refused, refused]
    assert sorted(tasks[2:]) == [
        f"Launch(rank={rank}, size=2, local_rank={rank}, launcher='srun')" for rank in range(2)
    ]


def test_a_job_near_its_limit_goes_back_to_the_queue_and_goes_on(near_limit: tuple[Work, int]) -> None:
    work, job = near_limit
    assert work.cluster.wait(job, 80) == ["COMPLETED"], work.said()
    assert work.cluster.state(job)["Restarts"] == "1"
    assert [note.get("SLURM_RESTART_COUNT") for note in work.notes()] == [None, None, "1", "1"]
    assert "goes back to the queue" in work.said()


def _await_ranks(work: Work) -> None:
    """Until both ranks are at work, and can be told to stop."""
    for _ in until(30):
        if (work.folder / "notes.jsonl").exists() and len(work.notes()) == JOB.ranks:
            return
    raise AssertionError(f"the ranks did not start: {work.said()}")
