"""`python -m ratemlx.bench.gpu`: measure, print a table, and write one JSON file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ratemlx.bench.gpu.benchmark import PARTS, Settings, measure_gpu, table, write_figures
from ratemlx.bench.gpu.roofline import cost_of
from ratemlx.bench.gpu.works import WORKS
from ratemlx.bench.paper_kernel import Toolchain
from ratemlx.cluster.hardware import find_gpu
from ratemlx.errors import RatemlxError
from ratemlx.runtime.cache import check_place


def main(words: list[str] | None = None) -> int:
    """The command; 2 if there is no device."""
    options = _parser().parse_args(words)
    if options.roofline is not None:
        return _print_rooflines(options.roofline)
    host = None if options.host_headers is None else Toolchain(("g++",), (options.host_headers,), nvcc=False)
    try:
        settings = Settings(
            device=options.device,
            parts=tuple(options.parts.split(",")),
            only=None if options.works is None else tuple(options.works.split(",")),
            seconds=options.seconds,
            instances=options.instances,
            steps=options.steps,
            gpu=None if options.gpu is None else find_gpu(options.gpu),
            toolchain=host,
        )
        if options.output is not None:
            check_place(options.output)
        found = measure_gpu(settings, lambda text: print(f"  {text}", file=sys.stderr, flush=True))
        _print(found)
        if options.output is not None:
            write_figures(found, options.output)
    except RatemlxError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _print_rooflines(gpu: str) -> int:
    """Costs of node-steps on a GPU that need not be there."""
    try:
        found = find_gpu(gpu)
        print(
            f"{found.name}: a node-step's cost, counted in machine code for {found.architecture}; node-steps/s at most"
        )
        print("work | FLOP | bytes | by arithmetic | by memory | by instructions")
        for work in WORKS:
            cost = cost_of(work, found)
            line = cost.line
            costs = f"{line.operations:,.0f} | {line.bytes:,.0f}"
            print(f"{work.title} | {costs} | {line.by_arithmetic:.3g} | {line.by_memory:.3g} | {cost.by_issue:.3g}")
    except RatemlxError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _print(found: dict[str, object]) -> None:
    headers, rows = table(found)
    print(f"{found['device']}, {found['date']}" + ("" if found["measured"] else ": a dry run, no figure of a GPU"))
    for row in (headers, *rows):
        print(" | ".join(row))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ratemlx.bench.gpu", allow_abbrev=False)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:pycuda, cuda:cuda-core, or cuda-emulation")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--works", help="only those of these keys")
    parser.add_argument("--seconds", type=float, default=300.0, help="time for all of it, without compiling")
    parser.add_argument("--instances", type=int, help="at most so many instances: for dry runs")
    parser.add_argument("--steps", type=int, help="at most so many steps: for dry runs")
    parser.add_argument("--roofline", metavar="GPU", help="only costs of node-steps and what they allow on this GPU")
    parser.add_argument("--gpu", help="the catalogue's name of the GPU, if its own name does not tell")
    parser.add_argument("--host-headers", type=Path, help="compile the paper's kernel for the host, with these headers")
    parser.add_argument("--output", type=Path, help="JSON file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
