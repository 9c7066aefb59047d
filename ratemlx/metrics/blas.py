"""Keep matrix products to the thread that asks for them.

Metrics multiply many small matrices, on as many threads as their caller chose. OpenBLAS, which comes with NumPy, would
share each product among all cores, and wait: beside a simulation that uses the cores, 3 to 10 times as long.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np

_lock = Lock()
_users: list[int] = []
"""Number of threads that BLAS had, once for each user that is at work; the first is put back by the last."""


@contextmanager
def one_thread() -> Iterator[None]:
    """While this lasts, products are computed by the thread that asks for them; no change if BLAS is not OpenBLAS."""
    control = _control()
    if control is None:
        yield
        return
    get, set_ = control
    with _lock:
        _users.append(_users[0] if _users else get())
        set_(1)
    try:
        yield
    finally:
        with _lock:
            before = _users.pop()
            if not _users:
                set_(before)


@cache
def _control() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How to ask and to tell the OpenBLAS of NumPy's wheels its number of threads, or None if there is none."""
    site = Path(np.__file__).resolve().parents[1]
    for path in sorted(site.glob("numpy.libs/*openblas*")):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
            if hasattr(library, name.format("get")):
                return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return None
