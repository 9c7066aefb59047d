"""How a run ends on the command line: what is said, by which rank, and with which exit code.

0    done
2    a user's error, told in one message
70   a fault of ratemlx
75   stopped in good time by SIGTERM, SIGUSR1 or --max-time; the same command goes on
130  interrupted from the keyboard; the same command goes on
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ratemlx.errors import RatemlxError
from ratemlx.runtime.launch import find_launch
from ratemlx.runtime.stopping import EXIT_INTERRUPTED, EXIT_STOPPED, Stopped, told_as_stop


def is_first_rank() -> bool:
    """Whether this process speaks for all that were launched with it."""
    launch = find_launch(os.environ)
    return launch is None or launch.rank == 0


def exit_code(error: BaseException) -> int:
    """The code of a user's error, of a stop, or of an interrupt, after its message; others are raised again."""
    speaks = is_first_rank()
    if isinstance(error, RatemlxError):
        if speaks:
            print(error, file=sys.stderr)
        return error.exit_code
    if isinstance(error, Stopped | KeyboardInterrupt):
        if speaks and not getattr(error, "told", False):
            print(_what_ended(error), file=sys.stderr)
        return EXIT_STOPPED if isinstance(error, Stopped) else EXIT_INTERRUPTED
    raise error


def _what_ended(error: Stopped | KeyboardInterrupt) -> str:
    return f"stopped by {error.reason}" if isinstance(error, Stopped) else "interrupted"


@contextmanager
def telling_what_is_kept(folder: Callable[[], Path | None], *, restart: bool = False) -> Iterator[None]:
    """Say, when a run is stopped or interrupted, that finished batches are in the folder.

    With `restart` the same command would discard them.
    """
    try:
        with told_as_stop():
            yield
    except (Stopped, KeyboardInterrupt) as error:
        if is_first_rank():
            path = folder()
            later = ", without --restart once that has discarded what was there" if restart else ""
            kept = f"; finished batches are in {path}, the same command goes on{later}" if path is not None else ""
            print(f"{_what_ended(error)}{kept}", file=sys.stderr)
            error.told = True  # type: ignore[union-attr]
        raise
