"""What every process of a measurement runs: a sweep shared out as any run's, timed between its first and last batch.

Started by `measure`, as `mpirun -n N python -m ratemlx.bench.scaling.rank WORK DIR`; rank 0 prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ratemlx.bench.measure import Workload
from ratemlx.errors import RatemlxError
from ratemlx.runtime import RunSpec, run
from ratemlx.runtime.outputs import make_outputs
from ratemlx.runtime.progress import Progress
from ratemlx.runtime.world import open_world


class Stopwatch(Progress):
    """Seconds from the beginning of the work that is shared out until all ranks have ended it."""

    seconds = 0.0

    def begin(self, *total: float) -> None:  # noqa: ARG002
        """Start."""
        self._started = time.perf_counter()

    def end(self) -> None:
        """Stop."""
        self.seconds = time.perf_counter() - self._started


def make_spec(work: dict[str, object], output: Path) -> RunSpec:
    """The run of a work, one thread on each rank; no series is kept, for writing them would be measured."""
    metrics = work.pop("metrics")
    workload = Workload(**work | {"folder": Path(str(work["folder"]))})  # type: ignore[arg-type]
    outputs = make_outputs(metrics=metrics, keep="none")
    return replace(workload.spec(), batch_size=None, output=output, figure=False, outputs=outputs)


def main(arguments: Sequence[str]) -> int:
    """Run a share of the work; gives the exit code."""
    work, output = arguments
    world, watch = open_world(), Stopwatch()
    try:
        result = run(make_spec(json.loads(work), Path(output)), watch, world)
    except RatemlxError as error:
        if world.rank == 0:
            print(error, file=sys.stderr)
        return error.exit_code
    if result is not None:
        found = {"ranks": world.size, "instances": result.info.n_instances, "regions": len(result.info.regions)}
        print(json.dumps(found | {"seconds": watch.seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
