"""Options of a generated folder's driver, and the `RunSpec` they stand for.

Flags are those of van der Vlag et al. 2023 where they have one; every other has a long name.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ratemlx.abi import INTEGRATORS, Manifest
from ratemlx.errors import SweepError
from ratemlx.observables.bold_options import parse_bold
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.limits_text import parse_duration, parse_part
from ratemlx.runtime.outputs import make_fitness, make_outputs, parse_names
from ratemlx.runtime.parameters import find_parameter
from ratemlx.runtime.regional import FILE_MARK
from ratemlx.runtime.settings_text import parse_output, parse_overrides, parse_stimuli
from ratemlx.runtime.spec import RunSpec
from ratemlx.runtime.stimulus import Stimulus
from ratemlx.runtime.sweep import spaced
from ratemlx.runtime.sweep_text import parse_axes
from ratemlx.runtime.timing import MAX_STEPS

SHORT_AXES = 10
EXAMPLES = """examples:
  python driver.py -s0 6 -s1 6 -n 1000 -dt 0.1 -cs 3 -v
  python driver.py --sweep NAME=0.1:0.9:8 --sweep OTHER=0,60,120 -o results
  python driver.py --points points.csv --set NAME=500 -cf my_connectome.zip
"""


def build_parser(manifest: Manifest) -> argparse.ArgumentParser:
    """The parser for a model: its i-th sweepable parameter is -s<i>."""
    parser = argparse.ArgumentParser(
        prog="driver.py",
        description=f"{manifest.model}: {manifest.description}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_sweep(parser, manifest)
    _add_time(parser)
    _add_network(parser)
    _add_computing(parser)
    _add_output(parser)
    return parser


def _add_sweep(parser: argparse.ArgumentParser, manifest: Manifest) -> None:
    group = parser.add_argument_group("what to sweep")
    for index, name in enumerate(manifest.sweep_order[:SHORT_AXES]):
        group.add_argument(f"-s{index}", type=int, metavar="N", help=f"N points of {name} over its range")
    group.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=...",
        help="START:STOP:COUNT, log:START:STOP:COUNT or VALUE,VALUE,...; the product of all sweeps is run",
    )
    group.add_argument("--points", type=Path, metavar="FILE", help="table of points instead: .csv or .npz")
    group.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter or a constant")
    group.add_argument(
        "--stimulus", action="append", default=[], metavar="INPUT=@FILE", help="rows of time (ms), value"
    )
    group.add_argument(
        "--pattern", action="append", default=[], metavar="INPUT=@FILE", help="or REGION:VALUE,...: where it acts"
    )


def _add_time(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("time")
    group.add_argument("-n", type=int, default=1000, metavar="N", help="samples, one per period (default 1000)")
    group.add_argument("--period", type=float, default=1.0, metavar="MS", help="length of a sample (default 1 ms)")
    group.add_argument("-dt", type=float, default=0.1, metavar="MS", help="time step (default 0.1 ms)")
    group.add_argument("--integrator", choices=INTEGRATORS, default="euler", help="default euler")


def _add_network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("network")
    where = group.add_mutually_exclusive_group()
    where.add_argument("-cf", metavar="FILE", help="connectome: tvb:68, TVB .zip, .npz, folder, or two files a,b")
    where.add_argument("-r", type=int, metavar="N", help="connectome of tvb-data with N regions (default 68)")
    group.add_argument(
        "--normalization",
        default="out-strength",
        metavar="KIND",
        help="none, max, in-strength or out-strength (default)",
    )
    group.add_argument("-cs", type=float, metavar="SPEED", help="conduction speed, mm/ms")
    group.add_argument("--seed", type=int, default=42, help="seed of noise and of random starts (default 42)")
    group.add_argument("--no-noise", action="store_true", help="leave noise out")
    group.add_argument("--common-noise", action="store_true", help="give all instances the same noise")


def _add_computing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("computing")
    group.add_argument("--history", metavar="TYPE", help="numbers of the history: float32, float16 or bfloat16")
    group.add_argument("--precision", choices=("float32", "float64"), default="float32", help="default float32")
    group.add_argument(
        "--device", metavar="NAME", help="cpu for a cpp kernel; cuda (default), cuda:1 or cuda-emulation for a cuda one"
    )
    group.add_argument("--threads", type=int, metavar="N", help="default: all cores")
    group.add_argument("--batch-size", type=int, metavar="N", help="instances in a batch (default: what fits)")
    group.add_argument("-bx", type=int, metavar="N", help="accepted; tiles are sized by the kernel")
    group.add_argument("-by", type=int, metavar="N", help="accepted, as -bx")
    group.add_argument("--max-time", metavar="TIME", help="stop in good time: HH:MM:SS, D-HH:MM:SS, or minutes")
    group.add_argument("--part", metavar="I/N", help="run the I-th (from 0) of N parts of the sweep")
    group.add_argument("--arch", metavar="SM", help="GPU architecture to compile for (default: the GPU's own)")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would run and what it costs, and stop")
    what.add_argument("--compile-only", action="store_true", help="compile all that this run will load, and stop")
    group.add_argument("-g", action="store_true", help="say what the device is, and stop")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("-o", metavar="DIR", help="write results there; a run cut short goes on")
    group.add_argument(
        "-w", action="store_true", help="keep time series, with -gs those of the best; to MODEL_results without -o"
    )
    group.add_argument("-p", action="store_true", help="draw traces: DIR/traces.png, or MODEL_traces.png")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--observe", metavar="NAME,...", help="exposures to keep (default: all)")
    which.add_argument("-x", type=int, metavar="N", help="the first N exposures")
    group.add_argument("--metrics", metavar="NAME,...", help="metrics or groups of them, such as table2 or all")
    group.add_argument(
        "--plugin", type=Path, action="append", default=[], metavar="FILE", help="Python file with metrics; it is run"
    )
    group.add_argument("--transient", type=float, default=0.0, metavar="MS", help="time that metrics leave out")
    group.add_argument("--bold", type=float, metavar="TR", help="BOLD signal with a volume every TR ms")
    group.add_argument(
        "--bold-option", action="append", default=[], metavar="NAME=VALUE", help="as tau_s=0.8 or band=0.008:0.08"
    )
    group.add_argument("--fcd-window", type=float, default=1000.0, metavar="MS", help="window of FC dynamics")
    group.add_argument("--fcd-step", type=float, default=100.0, metavar="MS", help="time between starts of windows")
    group.add_argument("-gs", action="store_true", help="rank instances by fitness and tell the best ten")
    group.add_argument("-ff", metavar="FILE", help="reference FC that fitness compares with: .npy, .npz or .csv")
    group.add_argument("--reference-order", metavar="ORDER", help="which region each row of it is")
    group.add_argument("--fitness", metavar="TERM[=W],...", help="terms of fitness: FC_SC, FC, FCD, phFCD")
    group.add_argument("--reference-fcd", metavar="FILE", help="values of FCD to compare with")
    group.add_argument("--reference-phfcd", metavar="FILE", help="values of phase FCD to compare with")
    group.add_argument("--similarity", default="pearson", metavar="NAME", help="pearson, spearman or concordance")
    group.add_argument("--fitness-of", metavar="NAME,...", help="exposures that fitness is taken of (default: all)")
    group.add_argument("--keep", metavar="WHICH", help="time series to keep: all, none, best or best:N")
    group.add_argument("--keep-fc", action="store_true", help="keep FC of all instances, not only of the best")
    group.add_argument("--restart", action="store_true", help="replace the results in DIR")
    group.add_argument("-v", action="store_true", help="say what is going on")


def _stimuli(options: argparse.Namespace) -> dict[str, Stimulus]:
    stimuli = parse_stimuli(options.stimulus, options.pattern)
    for name, stimulus in stimuli.items():
        if not str(stimulus.course).startswith(FILE_MARK):
            raise SweepError(
                f"the time course of {name} is to be a file here: {name}=@FILE",
                "`ratemlx run` takes expressions in t",
            )
    return stimuli


def spec_of(folder: Path, manifest: Manifest, options: argparse.Namespace) -> RunSpec:
    """What the options ask for; raises SweepError for values that cannot be used."""
    if options.n < 1:
        raise SweepError(f"-n must be at least 1; it is {options.n}")
    if options.n > MAX_STEPS:
        raise SweepError(f"-n must be at most {MAX_STEPS:,}")
    axes: dict[str, AnyArray] = {}
    for name, values in (*_short_axes(manifest, options).items(), *parse_axes(manifest, options.sweep).items()):
        if name in axes:
            raise SweepError(f"{name} is swept twice")
        axes[name] = values
    written = options.o if options.o is not None else f"{manifest.model}_results" if options.w else None
    return RunSpec(
        folder=folder,
        connectome=options.cf or f"tvb:{options.r if options.r is not None else 68}",
        normalization=options.normalization,
        sweep=axes,
        samples=options.points,
        params=parse_overrides(options.set),
        conduction_speed=options.cs,
        stimuli=_stimuli(options),
        duration=options.n * options.period,
        dt=options.dt,
        period=options.period,
        precision=options.precision,
        integrator=options.integrator,
        noise=not options.no_noise,
        common_noise=options.common_noise,
        seed=options.seed,
        observe=_observed(manifest, options),
        device=device_of(manifest, options),
        arch=options.arch,
        threads=options.threads,
        history=options.history,
        batch_size=_batch_size(options),
        output=None if written is None else parse_output(written),
        restart=options.restart,
        figure=written is not None,
        outputs=make_outputs(
            metrics=options.metrics or (),
            transient=options.transient,
            plugins=tuple(options.plugin),
            bold=parse_bold(options.bold, options.bold_option),
            keep=options.keep or _kept(options),
            keep_fc=options.keep_fc,
            fcd_window=options.fcd_window,
            fcd_step=options.fcd_step,
            fitness=make_fitness(
                terms=options.fitness or (() if options.gs else None),
                reference=options.ff,
                reference_order=options.reference_order,
                fcd=options.reference_fcd,
                phfcd=options.reference_phfcd,
                similarity=options.similarity,
                exposures=options.fitness_of,
            ),
        ),
        max_time=None if options.max_time is None else parse_duration(options.max_time),
        part=None if options.part is None else parse_part(options.part),
    )


def _observed(manifest: Manifest, options: argparse.Namespace) -> tuple[str, ...] | None:
    """Exposures by name, or the first few; None for all."""
    if options.observe:
        return parse_names(options.observe)
    if options.x is None:
        return None
    names = tuple(item.name for item in manifest.exposures)
    if not 1 <= options.x <= len(names):
        raise SweepError(f"-x must be 1 to {len(names)}; it is {options.x}", f"exposures: {', '.join(names)}")
    return names[: options.x]


def _kept(options: argparse.Namespace) -> str | None:
    """With -w, the series: those of the best where instances are ranked, else all."""
    if not options.w:
        return None
    return "best" if options.gs or options.ff or options.fitness else "all"


def _batch_size(options: argparse.Namespace) -> int | None:
    """As asked for. The reference's grid of thread blocks (-bx, -by) limits nothing here: any number of points fits."""
    for name in ("bx", "by"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            raise SweepError(f"-{name} must be at least 1; it is {getattr(options, name)}")
    return options.batch_size  # type: ignore[no-any-return]


def device_of(manifest: Manifest, options: argparse.Namespace) -> str:
    """The device asked for, or the usual one of the kernel's kind."""
    return options.device or {"cpp": "cpu", "cuda": "cuda"}[manifest.target]


def _short_axes(manifest: Manifest, options: argparse.Namespace) -> dict[str, AnyArray]:
    """Axes of -s0 ... -s9: points over the range that the model states, at its scale."""
    axes: dict[str, Any] = {}
    for index, name in enumerate(manifest.sweep_order[:SHORT_AXES]):
        count = getattr(options, f"s{index}")
        if count is None:
            continue
        info = find_parameter(manifest, name)
        if info.range is None:
            raise SweepError(f"{name} has no range in the model", f"write --sweep {name}=START:STOP:COUNT")
        axes[info.name] = spaced(*info.range, count, info.scale, info.name)
    return axes
