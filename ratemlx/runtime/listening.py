"""A thread that hears while the main one is busy: that another rank wants all to stop, and what MPI has for this rank.

A rank may be at something that lasts, as a compiler or a metric does, when another one is stopped or fails: it is then
interrupted as by a signal. Knows counters and signals; needs an MPI that threads
may call, and does nothing with others.
"""

from __future__ import annotations

import threading
from types import TracebackType

from ratemlx.runtime import stopping
from ratemlx.runtime.world import Shares, World

LISTEN_SECONDS = 0.25
"""Between two looks at whether another rank asked to stop."""
SERVE_SECONDS = 0.005
"""Between two calls of MPI on a rank whose numbers ranks of other computers read: some libraries answer only then."""


class Listening:
    """Listens within its context."""

    def __init__(self, world: World, shares: Shares) -> None:
        self._world, self._shares = world, shares
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Listening:
        if self._world.size > 1 and self._world.threads_may_call:
            self._thread = threading.Thread(target=self._listen, name="ratemlx-listening", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self) -> None:
        serves = self._world.rank == 0 and self._world.local_size < self._world.size
        pause = SERVE_SECONDS if serves else LISTEN_SECONDS
        rounds = round(LISTEN_SECONDS / pause)
        count = 0
        while not self._over.wait(pause):
            count += 1
            if count % rounds:
                self._world.serve()
            elif self._shares.stop_asked():
                stopping.stop_from_elsewhere()
                return
