"""What the devices of all ranks offer together, so that all of them make the same plan."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

from ratemlx.metrics.evaluate import DEVICE_BYTES
from ratemlx.runtime.devices import open_device, parse_device
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.devices.cpu import available_threads
from ratemlx.runtime.devices.names import CUDA
from ratemlx.runtime.memory import free_memory
from ratemlx.runtime.plan import LOOKED_AT_BYTES, MEMORY_SHARE, Limits
from ratemlx.runtime.rates import expected_rate, is_measured
from ratemlx.runtime.spec import Job, RunSpec
from ratemlx.runtime.world import World, together

DEVICE_SHARE = 0.9
"""Part of a GPU's free memory that batches may take; the rest is for what the driver and others need."""
SERIES_ON_HOST = 4
"""Batches whose series the host's memory must hold: of the one that a GPU computes and the one that is looked at
meanwhile, and as much again for what is made of them."""
VISIBLE = "CUDA_VISIBLE_DEVICES"


def open_own_device(spec: RunSpec, world: World, threads: int) -> Device:
    """The device of this rank: a GPU by its place on the computer, or its part of the cores; raises DeviceError."""
    wanted = parse_device(spec.device)
    if wanted.kind == CUDA:
        number = wanted.number if wanted.number is not None else _own_gpu(world)
        return open_device(str(replace(wanted, number=number)), arch=spec.arch)
    return open_device(spec.device, threads, spec.arch)


def own_threads(spec: RunSpec, world: World) -> int:
    """Threads as asked for, else cores for this rank: those it is bound to, shared with the ranks bound to the same."""
    bound = tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
    mine = (socket.gethostname(), bound)
    sharing = sum(item == mine for item in world.gather(mine))
    return spec.threads if spec.threads is not None else max(1, available_threads() // sharing)


def common_limits(job: Job, device: Device, world: World) -> Limits:
    """What every rank's device offers at the least, and the number of ranks."""
    spec = job.spec
    lanes = min(world.gather(together(world, lambda: spec.lanes or device.lanes(spec.precision))))
    everyone = world.gather(together(world, lambda: _own_limits(job, device, lanes, world)))
    hosts = [item.host_bytes for item in everyone if item.host_bytes is not None]
    return replace(
        everyone[world.rank],
        workers=min(item.workers for item in everyone),
        free_bytes=min(item.free_bytes for item in everyone),
        rate=min(item.rate for item in everyone),
        holds_results=any(item.holds_results for item in everyone),
        host_bytes=min(hosts, default=None),
        measured=all(item.measured for item in everyone),
    )


def analyses_on_device(job: Job, device: Device) -> bool:
    """Whether series stay on a GPU, where metrics are computed of them: if they can be had there as arrays, and with
    room for the work.
    """
    if not job.spec.outputs.computes or parse_device(job.spec.device).kind != CUDA:
        return False
    if device.free_bytes() < 2 * DEVICE_BYTES:
        return False
    return device.array(device.allocate((1,), job.dtype)) is not None


def _own_limits(job: Job, device: Device, lanes: int, world: World) -> Limits:
    spec = job.spec
    on_host = parse_device(spec.device).kind != CUDA
    sharing, there = world.local_size, analyses_on_device(job, device)
    free = device.free_bytes() // (sharing if on_host else 1)
    return Limits(
        lanes,
        device.workers,
        free - DEVICE_BYTES if there else free,
        expected_rate(job, device, lanes),
        spec.batch_size,
        share=MEMORY_SHARE if on_host else DEVICE_SHARE,
        holds_results=on_host or there,
        host_bytes=None if on_host else free_memory() // sharing // SERIES_ON_HOST,
        series_bytes=LOOKED_AT_BYTES if on_host and spec.outputs.kept.which != "all" else None,
        ranks=world.size,
        measured=is_measured(job, device, lanes),
    )


def _own_gpu(world: World) -> int:
    """By local rank; launchers that bind tasks to GPUs show each task only its own."""
    shown = [item for item in os.environ.get(VISIBLE, "").split(",") if item.strip()]
    return world.local_rank % len(shown) if shown else world.local_rank
