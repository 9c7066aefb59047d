"""Processes that share a run: real MPI ranks, and one process alone."""

from __future__ import annotations

import json

import pytest

from ratemlx.errors import ClusterError, DeviceError
from ratemlx.runtime.stopping import Stopped
from ratemlx.runtime.world import Alone, numbers, open_world, together
from tests.support.ranks import python_on_ranks

SHARED_OUT = """
import json, time
from ratemlx.runtime.world import numbers, open_world
world = open_world()
shares, mine = world.shares(), []
for number in numbers(shares, COUNT):
    time.sleep(0.02 if world.rank == 0 else 0.002)
    mine.append(number)
    shares.add_done(10)
world.gather(None)
done = shares.done()
shares.close()
found = world.gather(mine)
if world.rank == 0:
    print(json.dumps([world.size, world.local_size, done, found]))
"""


@pytest.mark.parametrize(("ranks", "count"), [(2, 100), (3, 0), (4, 2)])
def test_every_number_falls_to_one_rank(ranks: int, count: int) -> None:
    told = python_on_ranks(ranks, SHARED_OUT.replace("COUNT", str(count)))
    size, local_size, amount, found = json.loads(told[0])
    assert (size, local_size, amount) == (ranks, ranks, 10 * count)
    assert sorted(number for mine in found for number in mine) == list(range(count))
    if count == 100:
        assert len(found[0]) < len(found[1]), "a rank that is ten times slower gets fewer"


FAILING = """
from ratemlx.errors import ClusterError, DeviceError
from ratemlx.runtime.world import open_world, together
world = open_world()
def action():
    if world.rank == 1:
        raise DeviceError("no GPU", "ask for one")
    return world.rank
try:
    together(world, action)
except ClusterError as error:
    print(world.rank, error, flush=True)
"""


def test_a_failure_on_one_rank_ends_all_of_them() -> None:
    told = python_on_ranks(3, FAILING)
    assert told == [f"{rank} error: rank 1 of 3: no GPU\n  hint: ask for one\n" for rank in range(3)]


STOPPING = """
from ratemlx.runtime.stopping import Stopped
from ratemlx.runtime.world import open_world
world = open_world()
shares = world.shares()
if world.rank == 1:
    shares.stop()
world.gather(None)
print(shares.stop_asked(), flush=True)
shares.close()
"""


def test_one_rank_stops_all() -> None:
    assert python_on_ranks(3, STOPPING) == ["True\n"] * 3


def test_one_process_shares_with_itself() -> None:
    world = Alone()
    shares = world.shares()
    assert list(numbers(shares, 5)) == [0, 1, 2, 3, 4]
    assert world.gather("a") == ["a"]
    assert together(world, lambda: 3) == 3
    with pytest.raises(DeviceError, match="no GPU"):
        together(world, _fail)
    with pytest.raises(Stopped):
        together(world, _stop)


def test_tasks_that_mpi_does_not_connect_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SLURM_PROCID": "1",
        "SLURM_STEP_NUM_TASKS": "4",
        "SLURM_NTASKS": "4",
        "SLURM_STEP_ID": "0",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ClusterError):
        open_world()


def _fail() -> int:
    raise DeviceError("no GPU")


def _stop() -> int:
    raise Stopped("SIGTERM")
