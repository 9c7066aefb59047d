"""Memory of a CUDA device and page-locked memory of its host, kept for the next batch when a batch is done with it.

Freeing memory of a device waits for all work of the device, so that batches in flight would stall; and the next batch
mostly needs blocks of the same sizes.
"""

from __future__ import annotations

import ctypes
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.cuda_binding import Binding, CudaFailure
from ratemlx.runtime.devices.cuda_errors import OUT_OF_MEMORY, WORDS

GRAIN = 512
"""Sizes are rounded up to this many bytes, so that blocks fit again."""


def rounded(size: int) -> int:
    """Bytes of the block that holds `size` bytes; never none."""
    return max(-(-size // GRAIN), 1) * GRAIN


class DeviceMemory:
    """Blocks of one device. Those given back may still be in use by queued work, which later users wait for.

    `release` lets others in this process give back what they keep, when memory is short.
    """

    def __init__(
        self, binding: Binding, busy: Callable[[], Iterable[Any]], release: Callable[[], None] = lambda: None
    ) -> None:
        self._binding, self._busy, self._release = binding, busy, release
        self._idle: defaultdict[int, list[tuple[int, list[Any]]]] = defaultdict(list)
        self._in_use: set[int] = set()
        self._closed = False

    @property
    def idle_bytes(self) -> int:
        """Bytes that are kept for later."""
        return sum(size * len(blocks) for size, blocks in self._idle.items())

    def take(self, size: int, stream: Any) -> int:
        """The address of a block for work in `stream`; raises CudaFailure when memory is short."""
        size = rounded(size)
        if self._idle[size]:
            address, events = self._idle[size].pop()
            for event in events:
                self._binding.wait(stream, event)
        else:
            address = self._allocate(size)
        self._in_use.add(address)
        return address

    def give_back(self, address: int, size: int) -> None:
        """Keep a block for the next batch; `busy` gives events after which no queued work can touch it."""
        if address not in self._in_use:
            return
        self._in_use.remove(address)
        if self._closed:
            self._binding.free(address)
        else:
            self._idle[rounded(size)].append((address, list(self._busy())))

    def trim(self) -> None:
        """Free all blocks that nobody uses."""
        self._binding.synchronize()
        for blocks in self._idle.values():
            while blocks:
                self._binding.free(blocks.pop()[0])

    def close(self) -> None:
        """Free what nobody uses now, and the rest as soon as nobody uses it."""
        self._closed = True
        self.trim()

    def _allocate(self, size: int) -> int:
        try:
            return self._binding.allocate(size)
        except CudaFailure as failure:
            if not is_out_of_memory(failure):
                raise
        self.trim()
        self._release()
        return self._binding.allocate(size)


class PinnedMemory:
    """Page-locked blocks of the host, which are slow to make; a block comes back when the last view of it is gone."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._idle: defaultdict[int, list[AnyArray]] = defaultdict(list)

    def take(self, size: int) -> AnyArray:
        """An array of bytes."""
        whole = rounded(size)
        idle = self._idle[whole]
        block = idle.pop() if idle else self._binding.pinned(whole)
        lent = (ctypes.c_uint8 * size).from_address(block.ctypes.data)
        weakref.finalize(lent, idle.append, block).atexit = False
        array: AnyArray = np.ctypeslib.as_array(lent)
        return array

    def trim(self) -> None:
        """Free all blocks that nobody uses."""
        for blocks in self._idle.values():
            blocks.clear()


def is_out_of_memory(failure: CudaFailure) -> bool:
    """Whether a failure means that memory is short."""
    code = failure.code if failure.code is not None else WORDS.get(failure.text)
    return code == OUT_OF_MEMORY
