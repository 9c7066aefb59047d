"""`ratemlx run`: generate a model's kernel if need be, and drive it over a sweep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratemlx.cli.options import PluginOption

if TYPE_CHECKING:
    from ratemlx.runtime import RunSpec
    from ratemlx.runtime.world import World


def run(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A shipped model's name, a path to an XML file, or a generated folder."),
    ],
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="Parameter to sweep: START:STOP:COUNT, log:START:STOP:COUNT or VALUE,VALUE,... Repeatable; "
            "the product of all is run.",
        ),
    ] = None,
    points: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table of points to run instead: .csv or .npz, a column each.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Value of a parameter or constant; @FILE has one per region. Repeatable.",
        ),
    ] = None,
    connectome: Annotated[
        str, typer.Option(metavar="WHAT", help="tvb:66, 68, 76, 96 or 192; a TVB .zip, a .npz, a folder, or two files.")
    ] = "tvb:68",
    normalization: Annotated[
        str, typer.Option(metavar="KIND", help="Of the weights: none, max, in-strength or out-strength.")
    ] = "out-strength",
    duration: Annotated[float, typer.Option(metavar="MS", help="Simulated time.")] = 1000.0,
    dt: Annotated[float, typer.Option("--dt", metavar="MS", help="Step of integration.")] = 0.1,
    period: Annotated[float, typer.Option(metavar="MS", help="Length of one temporal average.")] = 1.0,
    speed: Annotated[
        float | None, typer.Option(metavar="MM/MS", help="Conduction speed; the model's default if left out.")
    ] = None,
    stimulus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT=COURSE", help="Drive an input: an expression in t (ms), or @FILE (time, value). Repeatable."
        ),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT=PATTERN", help="Regions that a stimulus acts on: REGION:VALUE,... or @FILE. Repeatable."
        ),
    ] = None,
    integrator: Annotated[str, typer.Option(metavar="NAME", help="euler, heun or rk4.")] = "euler",
    precision: Annotated[str, typer.Option(metavar="TYPE", help="float32 or float64.")] = "float32",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of noise and of drawn initial states.")] = 42,
    noise: Annotated[bool, typer.Option("--noise/--no-noise", help="With or without the model's noise.")] = True,
    common_noise: Annotated[
        bool, typer.Option("--common-noise", help="The same noise in all instances, to compare them.")
    ] = False,
    history: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Numbers of the history: float32, float16 or bfloat16; else the precision."),
    ] = None,
    initial: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Start of a state variable; @FILE has one per region. Repeatable."),
    ] = None,
    observe: Annotated[str | None, typer.Option(metavar="NAME,...", help="Exposures to keep; all if left out.")] = None,
    target: Annotated[
        str,
        typer.Option(
            metavar="DEVICE", help="Device: cpu, cuda, cuda:1, or cuda-emulation (CUDA source on the host, for tests)."
        ),
    ] = "cpu",
    threads: Annotated[int | None, typer.Option(metavar="N", help="Threads; one per core if left out.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Instances of a batch; by memory and time if left out.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help="Folder for results; nothing is kept without.")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Metrics or groups of them, such as table2 or all; see docs/metrics.md."),
    ] = None,
    transient: Annotated[float, typer.Option(metavar="MS", help="Time at the start that metrics leave out.")] = 0.0,
    bold: Annotated[
        float | None, typer.Option("--bold", metavar="TR", help="BOLD signal with a volume every TR ms.")
    ] = None,
    bold_option: Annotated[
        list[str] | None,
        typer.Option(
            "--bold-option",
            metavar="NAME=VALUE",
            help="Setting of BOLD, such as tau_s=0.8, step=4, volume=mean or band=0.008:0.08. Repeatable; see "
            "docs/observables.md.",
        ),
    ] = None,
    fcd_window: Annotated[
        float, typer.Option("--fcd-window", metavar="MS", help="Window of functional connectivity dynamics.")
    ] = 1000.0,
    fcd_step: Annotated[
        float, typer.Option("--fcd-step", metavar="MS", help="Time from the start of a window to that of the next.")
    ] = 100.0,
    fitness: Annotated[
        str | None,
        typer.Option(
            metavar="TERM[=WEIGHT],...", help="Rank instances by FC_SC, FC, FCD and phFCD; the best are told."
        ),
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Matrix of functional connectivity to compare with.")
    ] = None,
    reference_order: Annotated[
        str | None, typer.Option(metavar="ORDER", help="Which region each row of it is; see docs/fitness.md.")
    ] = None,
    reference_fcd: Annotated[
        Path | None, typer.Option("--reference-fcd", metavar="FILE", help="Values of FCD to compare with.")
    ] = None,
    reference_phfcd: Annotated[
        Path | None, typer.Option("--reference-phfcd", metavar="FILE", help="Values of phase FCD to compare with.")
    ] = None,
    similarity: Annotated[
        str, typer.Option(metavar="NAME", help="Of matrices: pearson, spearman or concordance.")
    ] = "pearson",
    fitness_of: Annotated[
        str | None,
        typer.Option("--fitness-of", metavar="NAME,...", help="Exposures that fitness is taken of; all if left out."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="WHICH", help="Time series to keep: all, none, best or best:N. All without metrics."),
    ] = None,
    keep_fc: Annotated[
        bool,
        typer.Option("--keep-fc", help="Keep functional connectivity of all instances; else that of the best."),
    ] = False,
    max_time: Annotated[
        str | None,
        typer.Option("--max-time", metavar="TIME", help="Stop in good time: HH:MM:SS, D-HH:MM:SS, or minutes."),
    ] = None,
    part: Annotated[
        str | None, typer.Option(metavar="I/N", help="Run the I-th (from 0) of N parts of the sweep, to merge later.")
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option("--arch", metavar="SM", help="GPU architecture to compile for; the GPU's own if left out."),
    ] = None,
    figure: Annotated[bool, typer.Option("--figure/--no-figure", help="Draw traces into the folder.")] = True,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Say what would run, then stop.")] = False,
    compile_only: Annotated[
        bool,
        typer.Option("--compile-only", help="Compile all that this run will load, then stop; with --arch without GPU."),
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Discard what the folder holds and begin anew.")] = False,
    plugin: PluginOption = None,
) -> None:
    """Simulate a sweep of a whole-brain network.

    Generates and compiles the model's kernel, unless that was done before, and runs every point of the sweep. With
    -o, results are written batch by batch; a run that was cut short goes on when the same command is given again.

    \b
    Examples:
      ratemlx run adex --sweep global_coupling=0:0.8:4 --sweep b_e=0:120:4 --duration 2000 -o first_sweep
      ratemlx run adex --sweep weight_noise=log:1e-9:1e-4:6 --set tau_w_e=500 --speed 4 --observe E,I -o noise
      ratemlx run montbrio --points points.csv --connectome my_connectome.zip -o points
      ratemlx run adex --stimulus "stimulus_ex=5e-4*heaviside(t-500)" --pattern stimulus_ex=@regions.csv -o driven
      ratemlx run adex --sweep b_e=0:100:8 --metrics table2 --transient 500 --fitness FC_SC --duration 2500 -o metrics
      ratemlx run adex --sweep b_e=0:100:8 --bold 1000 --bold-option tau_s=0.8 --duration 20000 -o bold
      ratemlx run adex --sweep b_e=0:100:1000 --plan-only
      ratemlx run adex --sweep b_e=0:100:1000 --target cuda --compile-only --arch sm_80
    """
    from ratemlx.observables.bold_options import parse_bold
    from ratemlx.runtime import RunSpec
    from ratemlx.runtime.limits_text import parse_duration, parse_part
    from ratemlx.runtime.outputs import make_fitness, make_outputs
    from ratemlx.runtime.settings_text import parse_output, parse_overrides, parse_stimuli
    from ratemlx.runtime.sweep_text import parse_axes
    from ratemlx.runtime.world import nobody_waits, open_world, together
    from ratemlx.simulate import NOT_YET, as_stimulus, kernel_source, source_manifest, with_kernel

    if plan_only and compile_only:
        raise typer.BadParameter("goes without --compile-only", param_hint="--plan-only")
    choices: dict[str, Any] = {"precision": precision, "history": history, "integrator": integrator}

    def make_spec() -> RunSpec:
        destination = None if output is None else parse_output(output)
        params = parse_overrides(settings or ())
        source = kernel_source(model, target, plugin or (), params)
        spec = RunSpec(
            folder=NOT_YET,
            connectome=connectome,
            normalization=normalization,
            sweep=parse_axes(source_manifest(source, target), sweep or ()),
            samples=points,
            params=params,
            conduction_speed=speed,
            stimuli={name: as_stimulus(item) for name, item in parse_stimuli(stimulus or (), pattern or ()).items()},
            initial=parse_overrides(initial or ()),
            duration=duration,
            dt=dt,
            period=period,
            noise=noise,
            common_noise=common_noise,
            seed=seed,
            observe=None if observe is None else tuple(name.strip() for name in observe.split(",")),
            device=target,
            threads=threads,
            batch_size=batch_size,
            output=destination,
            restart=restart,
            figure=figure,
            arch=arch,
            outputs=make_outputs(
                metrics=metrics or (),
                plugins=plugin or (),
                transient=transient,
                bold=parse_bold(bold, bold_option or ()),
                keep=keep,
                keep_fc=keep_fc,
                fcd_window=fcd_window,
                fcd_step=fcd_step,
                fitness=make_fitness(
                    terms=fitness,
                    reference=reference,
                    reference_order=reference_order,
                    fcd=reference_fcd,
                    phfcd=reference_phfcd,
                    similarity=similarity,
                    exposures=fitness_of,
                ),
            ),
            max_time=None if max_time is None else parse_duration(max_time),
            part=None if part is None else parse_part(part),
            **choices,
        )
        return with_kernel(spec, source)

    world = open_world()
    with nobody_waits(world):
        spec = together(world, make_spec)
    do = _plan if plan_only else _compile if compile_only else _run
    do(spec, world)


def _plan(spec: RunSpec, world: World) -> None:
    from ratemlx.runtime import plan_run

    lines = plan_run(spec, world)
    print("\n".join(lines if world.rank == 0 else []))


def _compile(spec: RunSpec, world: World) -> None:
    from ratemlx.runtime import compile_run
    from ratemlx.runtime.ending import telling_what_is_kept

    with telling_what_is_kept(lambda: None):
        compile_run(spec, world)


def _run(spec: RunSpec, world: World) -> None:
    from ratemlx.runtime import run as simulate
    from ratemlx.runtime.ending import telling_what_is_kept
    from ratemlx.runtime.progress import progress_for
    from ratemlx.runtime.report import best_table, diverged_remark, result_table, where_the_best_are
    from ratemlx.runtime.result import result_files

    with telling_what_is_kept(lambda: spec.output, restart=spec.restart):
        result = simulate(spec, progress_for(), world)
    if result is None:
        return
    print("\n".join([*result_table(result), *best_table(result)]))
    for remark in diverged_remark(result):
        print(f"warning: {remark}", file=sys.stderr)
    if spec.output is not None:
        print(f"results: {', '.join(str(path) for path in result_files(spec.output))}")
        for line in where_the_best_are(result, spec.output):
            print(line)
