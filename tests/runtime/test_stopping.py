"""Signals and time limits: raised once, at once or after what must not be cut in two."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ratemlx.runtime.stopping import Deadline, Stopped

PROGRAM = """
import os, signal, sys
from ratemlx.runtime.stopping import Deadline, Stopped, install_handlers, shielded
assert not {"numpy", "xarray", "scipy"} & set(sys.modules), "handlers come before what takes time to import"
install_handlers()
try:
    with shielded():
        os.kill(os.getpid(), signal.NUMBER)
        print("whole")
    print("never")
except Stopped as stopped:
    print(stopped.reason)
os.kill(os.getpid(), signal.NUMBER)
print("once")
try:
    Deadline(None).check()
except Stopped as stopped:
    print("again", stopped.reason)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_waits_for_what_must_not_be_cut(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.replace("NUMBER", name)], capture_output=True, text=True)
    assert done.stdout.split() == ["whole", name, "once", "again", name], done.stderr


def test_without_handlers_a_signal_kills() -> None:
    program = "import os, signal, ratemlx.runtime.stopping; os.kill(os.getpid(), signal.SIGTERM)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGTERM


def test_a_deadline_looks_ahead() -> None:
    deadline = Deadline(100.0)
    deadline.check()
    assert deadline.leaves(80.0)
    assert not deadline.leaves(95.0)
    assert Deadline(None).leaves(1e9)
    with pytest.raises(Stopped, match="the time limit"):
        Deadline(0.0).check()
