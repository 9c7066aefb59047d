"""The BOLD signal of a batch, integrated while it runs, and the functional connectivity of it.

The model is integrated from the first sample of the run on, so that it has left its rest when the volumes begin, which
is after the transient. The arithmetic is in kernels/balloon.cu.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping

import numpy as np

from ratemlx.errors import SweepError
from ratemlx.observables.band_pass import band_pass
from ratemlx.observables.correlation import correlations
from ratemlx.observables.layout import Layout, by_instance
from ratemlx.observables.programs import integers, load, numbers, pointers
from ratemlx.observables.settings import BoldSettings
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.devices.base import Buffer, Device, Queue

PROGRAM = "balloon"
"""Name of the C program."""
N_ROWS = 6
"""Numbers of a region's state: signal, flow, volume, deoxyhaemoglobin, and the sums of the open volume and step."""


class Arguments(ctypes.Structure):
    """Twin of the structure in kernels/balloon.cu."""

    _fields_ = [
        *integers("n_exposures", "n_regions", "n_chosen", "capacity", "n_samples"),
        *integers("until_kept", "per_step", "per_volume", "n_volumes", "heun", "linear", "average", "first_sample"),
        ("unused", ctypes.c_int32),
        *numbers("step", "gain", "decay", "feedback", "transit", "stiffness", "extraction", "log_rest", "scale"),
        ("k", ctypes.c_double * 3),
        *pointers("samples", "chosen", "state", "volumes"),
    ]


def samples_per_step(settings: BoldSettings, period: float) -> int:
    """Samples that a step of the model is driven by; raises SweepError if they are not whole."""
    return 1 if settings.step is None else _whole("step", settings.step, "the period", period)


def steps_per_volume(settings: BoldSettings, period: float) -> int:
    """Steps of a repetition time; raises SweepError if they are not whole."""
    if settings.step is None:
        return _whole("TR", settings.TR, "the period", period)
    return _whole("TR", settings.TR, "the step", settings.step)


def _whole(name: str, time: float, unit_name: str, unit: float) -> int:
    """How many units of time make up another (both in ms)."""
    count = round(time / unit)
    if count < 1 or abs(count * unit - time) > 1e-6 * unit:
        raise SweepError(
            f"BOLD's {name} ({time:g} ms) must be a multiple of {unit_name} ({unit:g} ms)",
            f"the nearest is {max(1, count) * unit:g} ms",
        )
    return count


def n_volumes(settings: BoldSettings, layout: Layout, first_kept: int) -> int:
    """Volumes of a run; raises SweepError if there is none, or if the band-pass needs more."""
    per_volume = steps_per_volume(settings, layout.period) * samples_per_step(settings, layout.period)
    count = (layout.n_samples - first_kept) // per_volume
    # SciPy pads the signal at both ends by three times the filter's length.
    least = 3 * (2 * settings.order + 1) + 1 if settings.band else 2 if settings.fc else 1
    if count < least:
        raise SweepError(
            f"the run has {count} BOLD volume{'' if count == 1 else 's'} of {settings.TR:g} ms after its transient; "
            f"{'the band-pass needs' if settings.band else 'there must be'} at least {least}",
            "use a longer duration or a shorter TR",
        )
    return count


def bytes_per_instance(settings: BoldSettings, layout: Layout, n_chosen: int, first_kept: int) -> int:
    """Bytes that an instance takes on a device."""
    volumes = n_volumes(settings, layout, first_kept)
    return n_chosen * layout.n_regions * (N_ROWS * 8 + volumes * layout.item)


class BoldProgram:
    """The compiled program, for all batches of a run on one device."""

    def __init__(
        self, device: Device, settings: BoldSettings, layout: Layout, chosen: tuple[str, ...], first_kept: int
    ) -> None:
        self.device, self.settings, self.layout = device, settings, layout
        self.chosen, self.first_kept = chosen, first_kept
        self.n_volumes = n_volumes(settings, layout, first_kept)
        self.program = load(PROGRAM, layout, device)

    def observer(self, n_instances: int, capacity: int) -> BoldObserver:
        """For one batch, whose buffers of samples have room for `capacity` of them."""
        return BoldObserver(self, n_instances, capacity)


class BoldObserver:
    """The BOLD signal of one batch."""

    def __init__(self, run: BoldProgram, n_instances: int, capacity: int) -> None:
        self._run, self._n_instances = run, n_instances
        layout, device = run.layout, run.device
        self._tiles = layout.tiles(n_instances)
        self._n_series = len(run.chosen) * layout.n_regions
        self._started = False
        places = np.array([layout.exposures.index(name) for name in run.chosen], dtype=np.int32)
        state = device.allocate((self._tiles, self._n_series, N_ROWS, layout.lanes), np.dtype(np.float64))
        volumes = device.allocate((self._tiles, run.n_volumes, self._n_series, layout.lanes), layout.dtype)
        self._buffers: dict[str, Buffer] = {"chosen": device.upload(places), "state": state, "volumes": volumes}
        self._arguments = _arguments(run, capacity)
        for name, buffer in self._buffers.items():
            setattr(self._arguments, name, buffer.address)

    def take(self, samples: Buffer, first_sample: int, n_samples: int, queue: Queue) -> None:
        """Drive the model by a chunk of samples."""
        if not self._started:
            self._call("rest", queue)
            self._started = True
        arguments = self._arguments
        arguments.samples, arguments.n_samples = samples.address, n_samples
        arguments.until_kept = self._run.first_kept - first_sample
        arguments.first_sample = first_sample
        if n_samples:
            self._call("drive", queue)

    def finish(self, queue: Queue) -> Mapping[str, AnyArray]:
        """bold: (instance, exposure, volume, region), filtered if asked for; bold_fc: (instance, exposure, pair)."""
        run, settings = self._run, self._run.settings
        arrived = queue.download(self._buffers["volumes"]).result()
        by_volume = by_instance(arrived, self._n_instances)
        split = by_volume.reshape(*by_volume.shape[:2], len(run.chosen), run.layout.n_regions)
        bold = np.ascontiguousarray(split.transpose(0, 2, 1, 3))
        if settings.band is not None:
            bold = band_pass(bold, settings.band, settings.TR, settings.order).astype(run.layout.dtype)
        if not settings.fc:
            return {"bold": bold}
        fc, flat = correlations(bold)
        return {"bold": bold, "bold_fc": fc, "bold_flat": flat}

    def _call(self, function: str, queue: Queue) -> None:
        self._run.program.run(function, self._arguments, self._tiles, self._n_series, queue)


def _arguments(run: BoldProgram, capacity: int) -> Arguments:
    layout, settings, balloon = run.layout, run.settings, run.settings.balloon
    return Arguments(
        n_exposures=len(layout.exposures),
        n_regions=layout.n_regions,
        n_chosen=len(run.chosen),
        capacity=capacity,
        per_step=samples_per_step(settings, layout.period),
        per_volume=steps_per_volume(settings, layout.period),
        n_volumes=run.n_volumes,
        heun=int(balloon.integrator == "heun"),
        linear=int(balloon.equation == "linear"),
        average=int(settings.volume == "mean"),
        step=layout.period * samples_per_step(settings, layout.period) * 1e-3,
        gain=balloon.gain,
        decay=1.0 / balloon.tau_s,
        feedback=1.0 / balloon.tau_f,
        transit=1.0 / balloon.tau_o,
        stiffness=1.0 / balloon.alpha,
        extraction=balloon.E0,
        log_rest=math.log1p(-balloon.E0),
        scale=balloon.V0,
        k=balloon.k,
    )
