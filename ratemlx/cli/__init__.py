"""The command line: one file per command, and the one place where an exception becomes a message and an exit code.

Commands import what is heavy (SymPy, xarray, matplotlib, Mako) when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from ratemlx.errors import BUG_REPORT, EXIT_BUG, RatemlxError
from ratemlx.runtime.ending import exit_code
from ratemlx.runtime.stopping import Stopped, install_handlers, told_as_stop

EXIT_CLOSED_PIPE = 1
STOPPED_BY_SIGNALS = (("run",), ("merge",))
"""How the arguments of commands begin that hold a run's folder, and let go of it when they are told to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (`sys.argv` if None) and return its exit code; never raises."""
    try:
        if tuple((sys.argv[1:] if arguments is None else arguments)[:1]) in STOPPED_BY_SIGNALS:
            install_handlers()
        with told_as_stop():
            return _dispatch(arguments)
    except (RatemlxError, Stopped, KeyboardInterrupt) as error:
        return exit_code(error)
    except BrokenPipeError:
        # The reader of a pipe has left (`ratemlx models | head`). Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CLOSED_PIPE
    except Exception:
        traceback.print_exc()
        print(BUG_REPORT, file=sys.stderr)
        return EXIT_BUG


def _dispatch(arguments: Sequence[str] | None) -> int:
    from ratemlx.cli.app import build_app

    try:
        build_app()(args=arguments, prog_name="ratemlx")
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    else:
        code = 0
    sys.stdout.flush()
    return code
