"""Job scripts for Slurm: what to ask of sbatch and which command to start, as a text to read before it is submitted.

Knows the command of the run as words, and nothing of what they mean beyond the exit code and options named here.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ratemlx.cluster.slurm_site import Site
from ratemlx.cluster.slurm_values import MAX_LEAD, check_argument, check_count, check_name, check_path, time_seconds
from ratemlx.errors import ClusterError
from ratemlx.resources import templates
from ratemlx.runtime.stopping import EXIT_STOPPED

MARK = "# Written by `ratemlx slurm`"
"""The beginning of the second line, by which a script of ours is known again."""
PREPARE = ("--compile-only",)
"""What makes of a run the step that one task does first: it checks the run and compiles what all ranks will load."""
LEAST_LEAD = 20
"""A run stops within ten seconds of a signal; what is left is for Slurm and the container."""
STEP_PATIENCE = 60
"""Seconds that the tasks of a step are given after the first has ended: one that crashed must not leave the others
waiting for it until the time limit."""


@dataclass(frozen=True, kw_only=True)
class SlurmJob:
    """A run as a job. `arguments` are those of `ratemlx run`; `signal_lead` is seconds before the limit.

    With `parts`, an array of so many jobs shares the sweep. `folder` is where it runs, `output` the run's folder.
    """

    site: Site
    name: str
    arguments: tuple[str, ...]
    folder: Path
    output: str
    time: str
    nodes: int = 1
    gpus_per_node: int = 0
    tasks_per_node: int = 1
    cpus_per_task: int | None = None
    account: str | None = None
    partition: str | None = None
    parts: int | None = None
    requeue: bool = False
    mpi: str | None = None
    signal_lead: int = 120
    modules: tuple[str, ...] = ()
    container: str | None = None
    venv: str | None = None
    sbatch: tuple[tuple[str, str | None], ...] = ()

    @property
    def ranks(self) -> int:
        """Tasks of one job."""
        return self.nodes * self.tasks_per_node


def check_job(job: SlurmJob) -> SlurmJob:
    """The job as it is, if all its values can stand in a script; raises ClusterError."""
    check_name("the job's name", job.name)
    for what, name in (("the account", job.account), ("the partition", job.partition), ("--mpi", job.mpi)):
        if name is not None:
            check_name(what, name)
    for module in job.modules:
        check_name("a module", module)
    for what, path in (("the virtual environment", job.venv), ("the container", job.container)):
        if path is not None:
            check_path(what, path)
    check_path("the folder for results", job.output)
    check_path("the current folder", str(job.folder))
    for argument in job.arguments:
        check_argument(argument)
    check_count("nodes", job.nodes)
    check_count("GPUs per node", job.gpus_per_node, 0)
    check_count("tasks per node", job.tasks_per_node)
    if job.cpus_per_task is not None:
        check_count("cores of a task", job.cpus_per_task)
    if job.parts is not None:
        check_count("jobs of an array", job.parts)
    _check_lead(job)
    if job.venv and job.container:
        raise ClusterError("a job runs in a container or in a virtual environment, not in both")
    return job


def _check_lead(job: SlurmJob) -> None:
    limit = time_seconds(job.time)
    check_count("seconds before the limit", job.signal_lead, LEAST_LEAD, MAX_LEAD)
    if job.signal_lead >= limit:
        raise ClusterError(
            f"the signal would come {job.signal_lead} s before the end of a job of {limit} s",
            "ask for more time, or shorten --signal-lead",
        )


def job_script(job: SlurmJob) -> str:
    """The script of a checked job."""
    return _render("job.sh.j2", job, directives(job))


def merge_script(job: SlurmJob) -> str:
    """The script of the job that merges what the jobs of an array have written."""
    return _render("merge.sh.j2", job, merge_directives(job))


def directives(job: SlurmJob) -> list[str]:
    """What is asked of sbatch, an option each."""
    asked = [f"--job-name={job.name}", *_place(job), f"--time={job.time}", f"--nodes={job.nodes}"]
    asked.append(f"--ntasks-per-node={job.tasks_per_node}")
    if job.cpus_per_task:
        asked.append(f"--cpus-per-task={job.cpus_per_task}")
    if job.gpus_per_node:
        asked.append(_gpu_request(job))
    if job.parts:
        asked.append(f"--array=0-{job.parts - 1}")
    asked += _signals(job)
    return [*asked, *_output(job, "%x-%A_%a.out" if job.parts else "%x-%j.out"), *_further(job)]


def merge_directives(job: SlurmJob) -> list[str]:
    """What is asked of sbatch for the merge: one task."""
    asked = [f"--job-name={job.name}-merge", *_place(job), f"--time={job.time}", "--nodes=1", "--ntasks=1"]
    asked += _signals(job)
    return [*asked, *_output(job, "%x-%j.out"), *_further(job)]


def _place(job: SlurmJob) -> Iterator[str]:
    if job.account:
        yield f"--account={job.account}"
    if job.partition:
        yield f"--partition={job.partition}"


def _gpu_request(job: SlurmJob) -> str:
    kind = f"{job.site.gpu_type}:" if job.site.gpu_type else ""
    if job.site.gpu_request == "gres":
        return f"--gres=gpu:{kind}{job.gpus_per_node}"
    return f"--gpus-per-node={kind}{job.gpus_per_node}"


def _signals(job: SlurmJob) -> list[str]:
    return [f"--signal=B:USR1@{job.signal_lead}", "--requeue" if job.requeue else "--no-requeue"]


def _output(job: SlurmJob, pattern: str) -> Iterator[str]:
    yield f"--output={pattern}"
    if job.requeue:
        yield "--open-mode=append"


def _further(job: SlurmJob) -> Iterator[str]:
    for key, value in {**job.site.sbatch, **dict(job.sbatch)}.items():
        yield f"--{key}" if value is None else f"--{key}={value}"


def srun_options(job: SlurmJob) -> list[str]:
    """What every step of the job is started with."""
    options = [f"--mpi={job.mpi}"] if job.mpi else []
    # Since Slurm 22.05 a step does not inherit this from its job.
    options += [f"--cpus-per-task={job.cpus_per_task}"] if job.cpus_per_task else []
    options += ["--gpus-per-task=1"] if job.gpus_per_node and job.site.gpu_binding == "slurm" else []
    return [*options, f"--wait={STEP_PATIENCE}"]


def command_lines(arguments: Sequence[str]) -> list[str]:
    """Quoted words of a command as lines to read: a new one for every option."""
    lines: list[list[str]] = [[]]
    for argument in arguments:
        if argument.startswith("-"):
            lines.append([])
        lines[-1].append(shlex.quote(argument))
    return [" ".join(line) for line in lines if line]


def _render(template: str, job: SlurmJob, asked: list[str]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates() / "slurm"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The text is bash, not HTML: what goes into it is checked, and quoted by the filter below.
        autoescape=False,
    )
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    return environment.get_template(template).render(
        job=job,
        directives=asked,
        mark=MARK,
        starter=_starter(job),
        run=command_lines(("ratemlx", "run", *job.arguments)),
        prepare=shlex.join(PREPARE),
        srun=shlex.join(srun_options(job)),
        stopped=EXIT_STOPPED,
    )


def _starter(job: SlurmJob) -> list[str]:
    """What a container's command begins with; nothing without one."""
    if job.container is None:
        return []
    gpus = ["--nv"] if job.gpus_per_node else []
    words = [job.site.container_command, "exec", *gpus, "--bind", str(job.folder), "--pwd", str(job.folder)]
    return [*words, job.container]
