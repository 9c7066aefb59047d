"""The command line of a generated folder: what its driver.py calls.

Options become a `RunSpec`; nothing is computed here. Modules that take time to import are imported when they are
needed: after signals are handled, and so that --help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ratemlx.abi import Manifest
from ratemlx.errors import BUG_REPORT, EXIT_BUG, RatemlxError
from ratemlx.runtime.ending import exit_code, telling_what_is_kept
from ratemlx.runtime.stopping import Stopped, install_handlers, told_as_stop

if TYPE_CHECKING:
    from ratemlx.runtime.result import Result
    from ratemlx.runtime.spec import RunSpec


def main(folder: Path, argv: Sequence[str]) -> int:
    """Run the generated folder `folder` as `argv` says and give the exit code; one message for a user's mistake."""
    try:
        install_handlers()
        with told_as_stop():
            return _do(folder, argv)
    except (RatemlxError, Stopped, KeyboardInterrupt) as error:
        return exit_code(error)
    except Exception:
        traceback.print_exc()
        print(BUG_REPORT, file=sys.stderr)
        return EXIT_BUG


def _do(folder: Path, argv: Sequence[str]) -> int:
    from ratemlx.runtime.driver_options import build_parser, device_of

    manifest = Manifest.load(folder)
    options = build_parser(manifest).parse_args(argv)
    if options.g:
        return _describe_device(device_of(manifest, options), options.threads)
    return _run(folder, manifest, options)


def _run(folder: Path, manifest: Manifest, options: argparse.Namespace) -> int:
    from ratemlx.runtime.ahead import compile_run
    from ratemlx.runtime.driver_options import spec_of
    from ratemlx.runtime.progress import progress_for
    from ratemlx.runtime.simulation import plan_run, run
    from ratemlx.runtime.world import nobody_waits, open_world, together

    world = open_world()
    with nobody_waits(world):
        spec = together(world, lambda: spec_of(folder, manifest, options))
    if options.plan:
        lines = plan_run(spec, world)
        print("\n".join(lines if world.rank == 0 else []))
        return 0
    if options.compile_only:
        with telling_what_is_kept(lambda: None):
            compile_run(spec, world)
        return 0
    with telling_what_is_kept(lambda: spec.output, restart=spec.restart):
        result = run(spec, progress_for(quiet=not options.v), world)
    if result is not None:
        _tell(result, spec, manifest, options)
    return 0


def _tell(result: Result, spec: RunSpec, manifest: Manifest, options: argparse.Namespace) -> None:
    from ratemlx.runtime.report import best_table, diverged_remark, result_table, where_the_best_are

    for remark in (*(() if options.v else result.warnings), *diverged_remark(result)):
        print(f"warning: {remark}", file=sys.stderr)
    if not options.v:
        for note in result.provenance.get("notes", ()):
            print(f"note: {note}", file=sys.stderr)
    best = best_table(result)
    if spec.output is not None:
        print("\n".join([*best, f"results: {spec.output}", *where_the_best_are(result, spec.output)]))
        return
    print("\n".join([*result_table(result), *best]))
    if options.p:
        from ratemlx.runtime.figure import draw_traces

        path = Path(f"{manifest.model}_traces.png")
        draw_traces(result, path)
        print(f"figure: {path}")


def _describe_device(name: str, threads: int | None) -> int:
    from ratemlx.runtime.arrays import bytes_text
    from ratemlx.runtime.devices import open_device
    from ratemlx.runtime.devices.compiler import find_compiler

    device = open_device(name, threads)
    try:
        print(f"{name}: {device.name}; {bytes_text(device.free_bytes())} free")
        print(f"lanes: {device.lanes('float32')} (float32), {device.lanes('float64')} (float64)")
        if name == "cpu":
            print(f"compiler: {find_compiler().version}")
    finally:
        device.close()
    return 0
