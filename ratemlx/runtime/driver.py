"""The command line of a generated folder: what its driver.py calls.

Options become a `RunSpec`; nothing is computed here. Modules that take time to import are imported when they are
needed, so that --help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from ratemlx.abi import Manifest
from ratemlx.errors import BUG_REPORT, EXIT_BUG, RatemlxError
from ratemlx.runtime.driver_options import build_parser, device_of, spec_of
from ratemlx.runtime.spec import RunSpec

INTERRUPTED = 130


def main(folder: Path, argv: Sequence[str]) -> int:
    """Run the generated folder `folder` as `argv` says and give the exit code; one message for a user's mistake."""
    spec: RunSpec | None = None
    try:
        manifest = Manifest.load(folder)
        options = build_parser(manifest).parse_args(argv)
        if options.g:
            return _describe_device(device_of(manifest, options), options.threads)
        spec = spec_of(folder, manifest, options)
        return _run(spec, manifest, options)
    except RatemlxError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        kept = f"; finished batches are in {spec.output}, the same command goes on" if spec and spec.output else ""
        print(f"interrupted{kept}", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        print(BUG_REPORT, file=sys.stderr)
        return EXIT_BUG


def _run(spec: RunSpec, manifest: Manifest, options: argparse.Namespace) -> int:
    from ratemlx.runtime.progress import progress_for
    from ratemlx.runtime.report import diverged_remark, result_table
    from ratemlx.runtime.simulation import plan_run, run

    if options.plan:
        print("\n".join(plan_run(spec)))
        return 0
    result = run(spec, progress_for(quiet=not options.v))
    for remark in (*(() if options.v else result.warnings), *diverged_remark(result)):
        print(f"warning: {remark}", file=sys.stderr)
    if spec.output is not None:
        print(f"results: {spec.output}")
        return 0
    print("\n".join(result_table(result)))
    if options.p:
        from ratemlx.runtime.figure import draw_traces

        path = Path(f"{manifest.model}_traces.png")
        draw_traces(result, path)
        print(f"figure: {path}")
    return 0


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
