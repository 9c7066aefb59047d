"""`ratemlx plan`: what a sweep costs, on this machine, on a named GPU, or on a named cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratemlx.cli.options import PluginOption

if TYPE_CHECKING:
    from ratemlx.cluster.hardware import Cluster, Gpu
    from ratemlx.runtime import RunSpec


def plan(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A shipped model's name, a path to an XML file, or a generated folder."),
    ],
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUES", help="Parameter to sweep, as for `ratemlx run`. Repeatable."),
    ] = None,
    points: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table of points to run instead: .csv or .npz, a column each.")
    ] = None,
    instances: Annotated[
        int | None, typer.Option(metavar="N", help="So many instances of one speed, instead of a sweep.", min=1)
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="As for `ratemlx run`. Repeatable.")
    ] = None,
    connectome: Annotated[str, typer.Option(metavar="WHAT", help="As for `ratemlx run`.")] = "tvb:68",
    duration: Annotated[float, typer.Option(metavar="MS", help="Simulated time.")] = 1000.0,
    dt: Annotated[float, typer.Option("--dt", metavar="MS", help="Step of integration.")] = 0.1,
    period: Annotated[float, typer.Option(metavar="MS", help="Length of one temporal average.")] = 1.0,
    speed: Annotated[
        float | None, typer.Option(metavar="MM/MS", help="Conduction speed; the model's default if left out.")
    ] = None,
    precision: Annotated[str, typer.Option(metavar="TYPE", help="float32 or float64.")] = "float32",
    noise: Annotated[bool, typer.Option("--noise/--no-noise", help="With or without the model's noise.")] = True,
    observe: Annotated[str | None, typer.Option(metavar="NAME,...", help="Exposures to keep; all if left out.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Instances of a batch; by memory and time if left out.")
    ] = None,
    gpu: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Predict for this GPU: A100-40, A100-80, H100, H200, L4, RTX-4090."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="NAME", help="Predict for this cluster: juwels-booster.")
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(metavar="N", help="Nodes of the cluster; all if left out.", min=1)
    ] = None,
    efficiency: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Part of the roofline that a full GPU is taken to reach.", min=0, max=1),
    ] = 0.4,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Metrics or groups of them, such as table2: as for `ratemlx run`."),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Say what a sweep costs before it is run.

    Without --gpu or --cluster it is planned for this machine, as `ratemlx run --plan-only` does. For a GPU or a cluster
    of the catalogue, instances that fit, batches, time, shards and the database's size are told; the time is
    estimated from data sheets and an assumed efficiency, not measured.

    \b
    Examples:
      ratemlx plan adex --sweep b_e=0:100:1000
      ratemlx plan adex --instances 16384 --speed 3 --duration 5000 --observe E,I --gpu H200
      ratemlx plan adex --instances 61341696 --duration 5000 --observe E,I --metrics table2 --cluster juwels-booster
    """
    from ratemlx.errors import SweepError
    from ratemlx.runtime.outputs import make_outputs

    if instances is not None and (sweep or points is not None):
        raise SweepError(
            "--instances counts instances of one point; a sweep has its own number", "leave one of them out"
        )
    if gpu is not None and cluster is not None:
        raise SweepError("--gpu and --cluster exclude each other", "a cluster of the catalogue has its GPUs")
    there = _hardware(gpu, cluster, nodes)
    if there is None and instances is not None:
        raise SweepError("--instances needs --gpu or --cluster", "give a --sweep to plan for this machine")
    choices: dict[str, Any] = {
        "connectome": connectome,
        "samples": points,
        "conduction_speed": speed,
        "duration": duration,
        "dt": dt,
        "period": period,
        "precision": precision,
        "noise": noise,
        "observe": None if observe is None else tuple(name.strip() for name in observe.split(",")),
        "batch_size": batch_size,
        "outputs": make_outputs(metrics=metrics or (), plugins=plugin or ()),
    }
    spec = _spec(
        model, "cpu" if there is None else "cuda-emulation", plugin or (), sweep or (), settings or (), choices
    )
    if there is None:
        from ratemlx.runtime import plan_run

        print("\n".join(plan_run(spec)))
        return
    print("\n".join(_predicted(spec, *there, instances, efficiency)))


def _hardware(gpu: str | None, cluster: str | None, nodes: int | None) -> tuple[Gpu, Cluster | None] | None:
    """What to predict for; None for this machine."""
    from dataclasses import replace

    from ratemlx.cluster.hardware import find_cluster, find_gpu
    from ratemlx.errors import SweepError

    if nodes is not None and cluster is None:
        raise SweepError("--nodes needs --cluster")
    if cluster is not None:
        found = find_cluster(cluster)
        if nodes is not None and nodes > found.nodes:
            raise SweepError(f"{found.key} has {found.nodes} nodes; {nodes} were asked for")
        return found.gpu, replace(found, nodes=nodes or found.nodes)
    return None if gpu is None else (find_gpu(gpu), None)


def _spec(
    model: str, target: str, plugins: Any, sweep: Any, settings: Any, choices: dict[str, Any]
) -> RunSpec:  # fmt: skip
    from ratemlx.runtime import RunSpec
    from ratemlx.runtime.settings_text import parse_overrides
    from ratemlx.runtime.sweep_text import parse_axes
    from ratemlx.simulate import NOT_YET, kernel_source, source_manifest, with_kernel

    params = parse_overrides(settings)
    source = kernel_source(model, target, plugins, params)
    axes = parse_axes(source_manifest(source, target), sweep)
    return with_kernel(RunSpec(folder=NOT_YET, sweep=axes, params=params, device=target, **choices), source)


def _predicted(spec: RunSpec, gpu: Gpu, cluster: Cluster | None, instances: int | None, efficiency: float) -> list[str]:
    from ratemlx.cluster.prediction import predict
    from ratemlx.cluster.prediction_text import describe_prediction
    from ratemlx.runtime.spec import prepare

    job = prepare(spec)
    found = predict(job, gpu, cluster=cluster, n_instances=instances, efficiency=efficiency)
    return [
        f"{job.manifest.model} on {job.connectome.name} ({job.connectome.n_regions} regions,"
        f" {len(job.edges):,} tracts), {job.spec.precision}, {job.timing.n_steps:,} steps of {job.timing.dt:g} ms,"
        f" samples of {job.timing.period:g} ms of {', '.join(job.observed)}",
        *describe_prediction(found, cluster),
    ]
