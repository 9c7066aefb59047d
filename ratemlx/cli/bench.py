"""`ratemlx bench`: how fast a model's kernel is on this machine, beside tvb-library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratemlx.cli.options import ModelArgument, PluginOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ratemlx.bench.measure import Measurement, Workload
    from ratemlx.bench.scaling.measure import Work
    from ratemlx.ir.model import Model


def bench(
    model: ModelArgument = "adex",
    instances: Annotated[int, typer.Option(metavar="N", help="Instances.", min=1)] = 64,
    steps: Annotated[int, typer.Option(metavar="N", help="Time steps of 0.1 ms.", min=200)] = 10_000,
    repeat: Annotated[int, typer.Option(metavar="N", help="Runs of each measurement.", min=1)] = 3,
    threads: Annotated[int, typer.Option(metavar="N", help="Threads.", min=1)] = 1,
    connectome: Annotated[str, typer.Option(metavar="NAME", help="Connectome.")] = "tvb:68",
    tvb: Annotated[bool, typer.Option("--tvb/--no-tvb", help="Measure tvb-library's class too.")] = True,
    every: Annotated[
        bool, typer.Option("--all", help="All shipped models, a line each, beside tvb-library, tvbk and cuBNM.")
    ] = False,
    startup: Annotated[
        bool, typer.Option("--startup", help="Only the seconds of --help, of generating and of compiling.")
    ] = False,
    gpu: Annotated[
        str | None,
        typer.Option(metavar="DEVICE", help="Only CUDA kernels, on a GPU: cuda, cuda:1, cuda:pycuda, cuda:cuda-core."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="S", help="With --gpu: time for it, without compiling; steps shrink to fit.", min=1)
    ] = 300.0,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Only strong and weak scaling over MPI ranks of this machine.")
    ] = False,
    ranks: Annotated[
        str | None, typer.Option(metavar="N,...", help="With --scaling: numbers of ranks; 1, 2, 4 up to the cores.")
    ] = None,
    metrics: Annotated[
        str, typer.Option(metavar="NAME,...", help="With --scaling: metrics that are computed as well.")
    ] = "",
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --scaling: draw it, as .png, .svg or .pdf.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="With --gpu or --scaling: write all figures as JSON."),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Measure a model's speed on this machine.

    Prints node-steps per second (one region advanced by one step) with noise and 1 ms averages, the cost against the
    number of instances, memory of an instance, operations of a step by kind, and tvb-library's speed in the same run.

    \b
    Examples:
      ratemlx bench adex
      ratemlx bench montbrio --instances 256 --steps 2000 --no-tvb
      ratemlx bench --all --steps 2000
      ratemlx bench adex --startup
      ratemlx bench --gpu cuda -o gpu.json
      ratemlx bench adex --scaling --instances 256 --figure scaling.png
    """
    if output is not None:
        from ratemlx.runtime.cache import check_place

        check_place(output)
    if gpu is not None:
        _print_gpu(gpu, seconds, output)
        return
    if every:
        _print_survey(instances, steps, repeat)
        return
    if startup:
        _print_startup(model, plugin or (), repeat)
        return
    if scaling:
        from ratemlx.bench.scaling.measure import make_work

        work_of_ranks = make_work(model, plugin or (), instances, steps, connectome, metrics)
        _print_scaling(work_of_ranks, ranks, repeat, figure, output)
        return
    from ratemlx.bench.measure import Workload, measure
    from ratemlx.load import load
    from ratemlx.simulate import generated_folder

    loaded = load(model, plugin or ())
    folder = generated_folder(loaded)
    work = Workload(folder, instances, steps, threads=threads, connectome=connectome)
    main = measure(work, repeat)
    _print_rate(loaded.name, main)
    _print_precision(work)
    _print_instances(work)
    _print_memory(main)
    _print_operations(loaded, main)
    if tvb:
        _print_tvb(loaded.name, main)


def _print_survey(instances: int, steps: int, repeat: int) -> None:
    from ratemlx.bench.survey import survey
    from ratemlx.cli.tables import print_table
    from ratemlx.resources import shipped_models

    headers = ("model", "work", "node-steps/s per core", "other", "its node-steps/s", "ratio")
    rows = []
    for row in survey(shipped_models(), instances=instances, steps=steps, repeat=repeat):
        theirs = f"{row.theirs:.3g}" if row.theirs else "not installed, or no such model"
        rows.append(
            (row.model, row.work, f"{row.ours:.3g}", row.other, theirs, f"{row.ratio:,.1f}" if row.ratio else "")
        )
    print(f"{instances} instances x {steps:,} steps of 0.1 ms, noise on, 1 ms averages, one thread; tvb:68 if not said")
    print_table(headers, rows)


def _print_gpu(device: str, seconds: float, output: Path | None) -> None:
    from ratemlx.bench.gpu.benchmark import Settings, measure_gpu, table, write_figures
    from ratemlx.cli.tables import print_table

    found = measure_gpu(Settings(device=device, seconds=seconds))
    print(f"{found['device']}, {found['date']}" + ("" if found["measured"] else ": a dry run, no figure of a GPU"))
    print_table(*table(found))
    if output is not None:
        write_figures(found, output)
        print(f"figures: {output}")


def _print_scaling(work: Work, ranks: str | None, repeat: int, figure: Path | None, output: Path | None) -> None:
    from ratemlx.bench.gpu.benchmark import write_figures
    from ratemlx.bench.scaling.figure import draw_scaling
    from ratemlx.bench.scaling.measure import default_ranks, measure_scaling, parse_ranks, table
    from ratemlx.cli.tables import print_table
    from ratemlx.report.canvas import file_format
    from ratemlx.runtime.devices.cpu import available_threads

    if figure is not None:
        file_format(figure)
    counts = default_ranks(available_threads()) if ranks is None else parse_ranks(ranks)
    found = measure_scaling(work, counts, repeat, lambda line: print(line, file=sys.stderr))
    print(f"{found['model']} on {work.connectome}, {work.steps:,} steps, one thread a rank, {found['cores']} cores")
    print_table(*table(found))
    if output is not None:
        write_figures(found, output)
        print(f"figures: {output}")
    if figure is not None:
        draw_scaling(found, figure)
        print(f"figure: {figure}")


def _print_startup(model: str, plugins: Sequence[Path], repeat: int) -> None:
    from ratemlx.bench.startup import measure_startup
    from ratemlx.load import load

    name = load(model, plugins).name
    seconds = measure_startup(model, plugins, repeat)
    print(f"{name}, every command in a process of its own, an empty cache; seconds")
    print(f"  ratemlx --help                {seconds.help:.2f}")
    print(f"  generate, target cpp          {seconds.generate:.2f}")
    print(f"  compile                       {seconds.compile:.2f}")
    print(f"  run 10 ms when compiled       {seconds.run:.2f}")


def _print_rate(name: str, main: Measurement) -> None:
    from ratemlx.runtime.devices import open_device

    work = main.workload
    device = open_device("cpu", work.threads)
    print(f"{name}, {main.n_regions} regions, speed {work.speed:g} mm/ms, {work.precision}, noise on, on {device.name}")
    device.close()
    print(f"{work.instances} instances x {work.steps:,} steps, {len(main.seconds)} runs")
    shown = ", ".join(f"{seconds:.2f}" for seconds in main.seconds)
    print(f"  seconds                       {shown}")
    print(f"  node-steps/s per thread       {main.rate:.3g} (best), {main.median_rate:.3g} (median)")


def _print_precision(work: Workload) -> None:
    from dataclasses import replace

    from ratemlx.bench.measure import measure

    fewer = replace(work, steps=max(200, work.steps // 5))
    quiet = measure(replace(fewer, noise=False), 2)
    double = measure(replace(fewer, precision="float64"), 1)
    print(f"  without noise                 {quiet.rate:.3g}")
    print(f"  float64                       {double.rate:.3g}")


def _print_instances(work: Workload) -> None:
    from dataclasses import replace

    from ratemlx.bench.measure import measure

    print("cost against instances")
    for factor in (0.25, 0.5, 1, 2, 4):
        count = max(1, round(work.instances * factor))
        one = measure(replace(work, instances=count, steps=max(200, work.steps // 10)), 2)
        cost = min(one.seconds) / count / one.workload.steps * 1e6
        print(f"  {count:>6} instances  {min(one.seconds):8.3f} s  {cost:8.3f} us per instance and step")


def _print_memory(main: Measurement) -> None:
    count = main.workload.instances
    print("memory")
    print(f"  history of an instance        {main.history_bytes:,} bytes")
    print(f"  everything, per instance      {main.batch_bytes // count:,} bytes, with its samples")


def _print_operations(loaded: Model, main: Measurement) -> None:
    from ratemlx.passes.count import count_step
    from ratemlx.passes.pipeline import lower

    counted = count_step(lower(loaded))
    total = sum(counted.values())
    kinds = ", ".join(f"{number} {kind}" for kind, number in counted.most_common() if number)
    print("arithmetic of a node-step, without edges and random numbers")
    print(f"  {total} operations: {kinds}")
    print(f"  {main.rate * total:.3g} operations/s per thread")


def _print_tvb(name: str, main: Measurement) -> None:
    from ratemlx.bench.tvb import tvb_rate
    from ratemlx.runtime import load_connectome

    work = main.workload
    try:
        rate = tvb_rate(name, load_connectome(work.connectome).normalized("out-strength"), dt=work.dt, speed=work.speed)
    except ImportError as error:
        print(f"tvb-library: not installed ({error.name}); pip install tvb-library")
        return
    if rate is None:
        print("tvb-library has no class of this model")
        return
    print("tvb-library in the same run")
    print(f"  node-steps/s                  {rate:.3g}")
    print(f"  ratio, per thread             {main.rate / rate:,.0f}")
