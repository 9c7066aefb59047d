"""`ratemlx slurm`: write a job script that runs a sweep on a cluster; mistakes are told now, not in the queue."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ratemlx.cluster.slurm_script import SlurmJob
    from ratemlx.cluster.slurm_site import Site

SHOWN_ON_HOST = {"cuda": "cuda-emulation"}
"""Devices that a machine without them can stand in for, when a run is only checked."""


def slurm(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL [RUN OPTIONS]...", help="What `ratemlx run` is given: the model and its options."
        ),
    ],
    nodes: Annotated[int, typer.Option(metavar="N", help="Nodes of a job.")] = 1,
    gpus_per_node: Annotated[
        int | None, typer.Option(metavar="N", help="GPUs of a node, a task for each; the site's if left out.")
    ] = None,
    time: Annotated[str, typer.Option(metavar="TIME", help="Limit: HH:MM:SS, D-HH:MM:SS or minutes.")] = "01:00:00",
    array: Annotated[
        int | None, typer.Option(metavar="N", help="Split the sweep over N jobs, which may run at any time.")
    ] = None,
    requeue: Annotated[
        bool, typer.Option("--requeue", help="Go back to the queue when preempted or out of time, and go on.")
    ] = False,
    signal_lead: Annotated[
        int, typer.Option(metavar="SECONDS", help="Time before the limit at which the run is told to stop.")
    ] = 120,
    site: Annotated[
        str, typer.Option(metavar="NAME|FILE.yaml", help="The cluster: generic, cpu, juwels-booster, or a file.")
    ] = "generic",
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Account that pays.")] = None,
    partition: Annotated[str | None, typer.Option(metavar="NAME", help="Partition.")] = None,
    tasks_per_node: Annotated[
        int | None, typer.Option(metavar="N", help="Tasks (ranks) of a node; one per GPU, or 1, if left out.")
    ] = None,
    cpus_per_task: Annotated[
        int | None, typer.Option(metavar="N", help="Cores of a task; the site's, or without GPUs 1, if left out.")
    ] = None,
    mpi: Annotated[
        str | None, typer.Option(metavar="NAME", help="For srun --mpi: pmi2, pmix, ...; the site's if left out.")
    ] = None,
    module: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Module to load, besides the site's. Repeatable.")
    ] = None,
    container: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="Run within this image (apptainer or singularity).")
    ] = None,
    venv: Annotated[
        str | None, typer.Option(metavar="DIR", help="Virtual environment to run in; the present one if left out.")
    ] = None,
    sbatch: Annotated[
        list[str] | None, typer.Option(metavar="KEY[=VALUE]", help="Further option of sbatch: qos=high. Repeatable.")
    ] = None,
    job_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the job; the model's if left out.")
    ] = None,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Script to write; NAME.slurm if left out.")
    ] = None,
) -> None:
    """Write a job script for Slurm that runs a sweep on a cluster.

    Takes the options of `ratemlx run`, which are checked as if it was run here, and those of the job. Nothing is
    submitted: read the script, change what your cluster wants otherwise, and give it to sbatch.

    \b
    Examples:
      ratemlx slurm adex --sweep b_e=0:100:1000 --duration 10000 -o sweep --nodes 2 --gpus-per-node 4 --time 02:00:00
      ratemlx slurm adex --sweep b_e=0:100:1000 -o sweep --site juwels-booster --account brain --requeue
      ratemlx slurm adex --points points.csv -o sweep --site cpu --cpus-per-task 64 --array 20
    """
    from ratemlx.cluster.slurm_script import SlurmJob, check_job, job_script, merge_script
    from ratemlx.cluster.slurm_site import load_site
    from ratemlx.runtime.cache import check_place

    where = load_site(site)
    if script is not None:
        check_place(script)
    gpus = where.gpus_per_node if gpus_per_node is None else gpus_per_node
    tasks = tasks_per_node or where.tasks_per_node or max(gpus, 1)
    cores = cpus_per_task or where.cpus_per_task or (None if gpus else 1)
    words, params = _run_arguments(arguments, gpus, cores)
    _refuse_what_a_job_cannot(params, array)
    job = check_job(
        SlurmJob(
            site=where,
            name=_name(params["model"]) if job_name is None else job_name,
            arguments=words,
            folder=Path.cwd(),
            output=params["output"],
            time=time,
            nodes=nodes,
            gpus_per_node=gpus,
            tasks_per_node=tasks,
            cpus_per_task=cores,
            account=account or where.account,
            partition=partition or where.partition,
            parts=array,
            requeue=requeue,
            mpi=mpi or where.mpi,
            signal_lead=signal_lead,
            modules=(*where.modules, *(module or ())),
            container=container,
            venv=_venv(venv, container, where),
            sbatch=_further(sbatch or ()),
        )
    )
    _dry_run(words)
    path = script or Path(f"{job.name}.slurm")
    texts = {path: job_script(job)}
    if job.parts:
        texts[path.with_name(f"{path.stem}-merge{path.suffix}")] = merge_script(job)
    for path in _write(texts):
        print(f"replaced: {path}")
    if cores == 1 and cpus_per_task is None and not gpus:
        print(
            "note: one core for each task, as Slurm gives by itself; --cpus-per-task N asks for more", file=sys.stderr
        )
    _say_how_to_submit(job, list(texts))


def _run_arguments(arguments: list[str], gpus: int, cores: int | None) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The arguments of the run with what follows from the job, and what its own parser makes of them."""
    from ratemlx.errors import ClusterError

    params, given = _parse(arguments)
    words = list(arguments)
    device = str(params["target"]).partition(":")[0]
    if gpus and "target" not in given:
        words += ["--target", "cuda"]
    elif gpus and device != "cuda":
        raise ClusterError(f"{gpus} GPUs per node are asked for, but --target {device} leaves them idle")
    elif not gpus and device == "cuda":
        raise ClusterError("--target cuda needs GPUs", "add --gpus-per-node N")
    elif not gpus and "threads" not in given:
        words += ["--threads", str(cores)]
    return tuple(words), params


def _run_command() -> Any:
    from typer.main import get_command

    from ratemlx.cli.run import run

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command("run")(run)
    return get_command(app)


def _parse(arguments: list[str]) -> tuple[dict[str, Any], set[str]]:
    """Parameters by name as `ratemlx run` reads them, and those that were given; bad ones end as they do there."""
    with _run_command().make_context("ratemlx run", list(arguments)) as context:
        given = {name for name in context.params if context.get_parameter_source(name).name == "COMMANDLINE"}
        return dict(context.params), given


def _dry_run(words: tuple[str, ...]) -> None:
    """Everything that `ratemlx run` checks before it begins; raises what it raises. Its warnings are passed on."""
    command = _run_command()
    with command.make_context("ratemlx run", list(words)) as context, redirect_stdout(io.StringIO()) as said:
        context.params["plan_only"] = True
        target = context.params["target"]
        context.params["target"] = SHOWN_ON_HOST.get(target.partition(":")[0], target)
        command.invoke(context)
    for line in said.getvalue().splitlines():
        if line.startswith("warning:"):
            print(line, file=sys.stderr)


def _refuse_what_a_job_cannot(params: dict[str, Any], array: int | None) -> None:
    from ratemlx.errors import ClusterError

    if not params["output"]:
        raise ClusterError("a job without a folder for results keeps nothing", "add -o DIR")
    for option in ("plan_only", "compile_only"):
        if params[option]:
            name = f"--{option.replace('_', '-')}"
            raise ClusterError(f"{name} is for the machine at hand: ratemlx run ... {name}")
    if params["restart"]:
        raise ClusterError(
            "--restart would discard what the job itself has done, whenever it is requeued or submitted again",
            "delete the folder, or choose another",
        )
    if array and params.get("part"):
        raise ClusterError("--part is what --array gives to each of its jobs", "leave out one of the two")


def _name(model: str) -> str:
    path = Path(model)
    return path.stem if path.suffix == ".xml" else path.name


def _venv(given: str | None, container: str | None, site: Site) -> str | None:
    """The virtual environment named, or the present one where nothing else says where the software is."""
    if given is not None:
        return str(Path(given).expanduser().absolute())
    return None if container or site.modules else os.environ.get("VIRTUAL_ENV") or None


def _further(texts: list[str] | tuple[()]) -> tuple[tuple[str, str | None], ...]:
    from ratemlx.cluster.slurm_site import sbatch_option

    pairs = (text.partition("=") for text in texts)
    return tuple(sbatch_option(key, value if equals else None) for key, equals, value in pairs)


def _write(texts: dict[Path, str]) -> list[Path]:
    """Write scripts, and tell those that were there; these are replaced only if they are ours."""
    from ratemlx.cluster.slurm_script import MARK
    from ratemlx.errors import ClusterError
    from ratemlx.files import write_files

    for path in texts:
        if path.exists() and not _is_ours(path, MARK):
            raise ClusterError(f"{path} is there already, and is no script of ratemlx", "choose another --script FILE")
    replaced = [path for path in texts if path.exists()]
    for path, text in texts.items():
        write_files(path.parent, {path.name: text})
    return replaced


def _is_ours(path: Path, mark: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return mark.encode() in stream.read(1000)


def _say_how_to_submit(job: SlurmJob, paths: list[Path]) -> None:
    import shlex

    gpus = f" x {_counted(job.gpus_per_node, 'GPU')}" if job.gpus_per_node else ""
    times = f"{_counted(job.parts, 'job')} of " if job.parts else ""
    print(f"{paths[0]}: {times}{_counted(job.nodes, 'node')}{gpus}, {_counted(job.ranks, 'rank')}, {job.time}")
    first, *rest = (shlex.quote(str(path)) for path in paths)
    if rest:
        print(f"submit: job=$(sbatch --parsable {first}) && sbatch --dependency=afterok:$job {rest[0]}")
    else:
        print(f"submit: sbatch {first}")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
