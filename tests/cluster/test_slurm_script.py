"""Job scripts: read like a person would, checked by bash and shellcheck, and safe with any value that is let in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ratemlx.cluster.slurm_script import SlurmJob, check_job, command_lines, job_script, merge_script
from ratemlx.cluster.slurm_site import Site, load_site, parse_site
from ratemlx.errors import ClusterError

JOB = SlurmJob(
    site=Site(name="plain"),
    name="adex",
    arguments=("adex", "--sweep", "b_e=0:100:4", "-o", "sweep", "--target", "cuda"),
    folder=Path("/scratch/a user"),
    output="sweep",
    time="02:00:00",
    nodes=2,
    gpus_per_node=4,
    tasks_per_node=4,
)
VARIANTS = {
    "plain": JOB,
    "requeue": replace(JOB, requeue=True),
    "array": replace(JOB, parts=20, requeue=True),
    "venv": replace(JOB, venv="/home/a user/venv"),
    "container": replace(JOB, container="/images/ratemlx 1.sif"),
    "modules": replace(JOB, modules=("Stages/2024", "CUDA")),
    "cpu": replace(JOB, gpus_per_node=0, tasks_per_node=1, cpus_per_task=32, mpi="pmi2"),
    "booster": replace(JOB, site=load_site("juwels-booster"), account="brain", partition="booster"),
    "everything": replace(
        JOB,
        site=parse_site("environment: {A: 'b c'}\nsbatch: {exclusive: , qos: low}\ngpu_type: a100", "s.yaml"),
        sbatch=(("qos", "high"), ("mem", "64G")),
        parts=3,
        cpus_per_task=8,
    ),
}


def asked(script: str) -> list[str]:
    """What sbatch reads."""
    return [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH")]


@pytest.mark.parametrize("name", VARIANTS)
def test_bash_and_shellcheck_find_nothing(name: str, tmp_path: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck is not None, "shellcheck is missing: apt-get install shellcheck"
    job = check_job(VARIANTS[name])
    for kind, text in (("job", job_script(job)), ("merge", merge_script(job))):
        path = tmp_path / f"{kind}.slurm"
        path.write_text(text, encoding="utf-8")
        subprocess.run(["bash", "-n", path], check=True)
        done = subprocess.run([shellcheck, "--shell=bash", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert "set -euo pipefail" in text
        assert "\n\n\n" not in text
        assert all(len(line) <= 120 and line == line.rstrip() for line in text.splitlines())


def test_what_is_asked_of_sbatch() -> None:
    assert asked(job_script(JOB)) == [
        "--job-name=adex",
        "--time=02:00:00",
        "--nodes=2",
        "--ntasks-per-node=4",
        "--gpus-per-node=4",
        "--signal=B:USR1@120",
        "--no-requeue",
        "--output=%x-%j.out",
    ]
    everything = asked(job_script(VARIANTS["everything"]))
    assert everything[4:7] == ["--cpus-per-task=8", "--gpus-per-node=a100:4", "--array=0-2"]
    assert everything[-4:] == ["--output=%x-%A_%a.out", "--exclusive", "--qos=high", "--mem=64G"]
    booster = asked(job_script(VARIANTS["booster"]))
    assert booster[1:3] == ["--account=brain", "--partition=booster"]
    assert "--gres=gpu:4" in booster
    assert asked(job_script(VARIANTS["requeue"]))[-3:] == ["--requeue", "--output=%x-%j.out", "--open-mode=append"]
    assert asked(merge_script(VARIANTS["array"])) == [
        "--job-name=adex-merge",
        "--time=02:00:00",
        "--nodes=1",
        "--ntasks=1",
        "--signal=B:USR1@120",
        "--requeue",
        "--output=%x-%j.out",
        "--open-mode=append",
    ]


def test_directives_come_before_commands() -> None:
    """Slurm stops reading at the first line that is no comment."""
    lines = job_script(VARIANTS["everything"]).splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert not any(line.startswith("#SBATCH") for line in lines[first:])


def test_how_steps_are_started() -> None:
    assert "srun --gpus-per-task=1 --wait=60 " in job_script(JOB)
    assert "srun --wait=60 " in job_script(replace(VARIANTS["booster"], cpus_per_task=None))
    assert "srun --mpi=pmi2 --cpus-per-task=32 --wait=60 " in job_script(VARIANTS["cpu"])


def test_where_it_runs() -> None:
    assert "cd -- '/scratch/a user'\n" in job_script(JOB)
    assert "source '/home/a user/venv/bin/activate'\n" in job_script(VARIANTS["venv"])
    container = job_script(VARIANTS["container"])
    assert "apptainer exec --nv --bind '/scratch/a user' --pwd '/scratch/a user' '/images/ratemlx 1.sif'" in container
    assert "--nv" not in job_script(replace(VARIANTS["container"], gpus_per_node=0))
    modules = job_script(VARIANTS["modules"])
    assert modules.startswith("#!/bin/bash -l\n")
    assert "set +u\nmodule load Stages/2024\nmodule load CUDA\nset -u\n" in modules
    assert "export A='b c'\n" in job_script(VARIANTS["everything"])


def test_an_array_shares_the_sweep() -> None:
    script = job_script(VARIANTS["array"])
    assert 'part="${SLURM_ARRAY_TASK_ID}/20"\n' in script
    assert script.count('--part "$part"') == 1
    assert "    ratemlx merge sweep\n" in merge_script(VARIANTS["array"])


def test_commands_are_lines_to_read() -> None:
    words = ["ratemlx", "run", "a b", "--sweep", "b=0:1:2", "--no-noise", "-o", "x", "--set", "E_L=$(id)"]
    assert command_lines(words) == [
        "ratemlx run 'a b'",
        "--sweep b=0:1:2",
        "--no-noise",
        "-o x",
        "--set 'E_L=$(id)'",
    ]


HOSTILE = "$(touch hacked) `touch hacked`; touch hacked & 'touch' \"hacked\" \\ * ~ #SBATCH --wrap=id ${HOME} !!"


def test_the_run_gets_its_arguments_to_the_letter(tmp_path: Path) -> None:
    """The script is run with an `srun` that notes what it is given."""
    srun = tmp_path / "srun"
    srun.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n", encoding="utf-8")
    srun.chmod(0o755)
    folder = tmp_path / "in here"
    folder.mkdir()
    words = ("adex", "--stimulus", HOSTILE, "--set", "θ=-1", "-o", "sweep")
    script = tmp_path / "job.slurm"
    script.write_text(job_script(check_job(replace(JOB, arguments=words, folder=folder))), encoding="utf-8")
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    prepare, run = (json.loads(line) for line in done.stdout.splitlines())
    options = ["--gpus-per-task=1", "--wait=60"]
    assert prepare == [*options, "--nodes=1", "--ntasks=1", "ratemlx", "run", *words, "--compile-only"]
    assert run == [*options, "ratemlx", "run", *words]
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a\n#SBATCH --wrap=id"}, "the job's name"),
        ({"account": "a b"}, "the account"),
        ({"partition": "-p"}, "the partition"),
        ({"mpi": "pmi2;id"}, "--mpi"),
        ({"modules": ("$(id)",)}, "a module"),
        ({"venv": "/venv\nid"}, "the virtual environment"),
        ({"container": "-c"}, "the container"),
        ({"output": "`id`"}, "the folder for results"),
        ({"folder": Path("/a;b")}, "the current folder"),
        ({"arguments": ("adex", "a\nb")}, "an argument"),
        ({"nodes": 0}, "nodes must be"),
        ({"gpus_per_node": -1}, "GPUs per node must be"),
        ({"tasks_per_node": 0}, "tasks per node must be"),
        ({"cpus_per_task": 0}, "cores of a task must be"),
        ({"parts": 0}, "jobs of an array must be"),
        ({"time": "02:00"}, "time limit"),
        ({"signal_lead": 1}, "seconds before the limit must be from 20"),
        ({"time": "2", "signal_lead": 120}, "120 s before the end of a job of 120 s"),
        ({"venv": "/v", "container": "c.sif"}, "not in both"),
    ],
)
def test_what_cannot_be_a_job_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ClusterError) as refused:
        check_job(replace(JOB, **changes))  # type: ignore[arg-type]
    assert message in refused.value.message
