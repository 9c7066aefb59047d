"""Settings and the layout of a run put together: what memory they take, what they give, and observers for its batches.

The only module that knows all observables.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from ratemlx.observables import bold, moments
from ratemlx.observables.base import Observer
from ratemlx.observables.layout import Layout
from ratemlx.observables.settings import ObservableSettings
from ratemlx.runtime.devices.base import Device

MakeObservers = Callable[[int, int], tuple[Observer, ...]]
"""Observers of a batch, from its number of instances and the samples that its buffers have room for."""


class Observation:
    """What to observe of one run, checked against it; raises SweepError for what cannot be had of it."""

    def __init__(self, settings: ObservableSettings, layout: Layout) -> None:
        self.settings, self.layout = settings, layout
        self.exposures = layout.chosen(settings.exposures)
        """Those of moments and connectivity: the axis `exposure` of their arrays."""
        self.bold_exposures = layout.chosen(settings.bold_exposures or settings.exposures)
        """The same of BOLD."""
        self.first_kept = layout.first_kept(settings.transient)
        """The first sample that counts."""
        self.bytes_per_instance = sum(self._bytes)
        """Bytes of device memory."""

    @cached_property
    def _bytes(self) -> tuple[int, int]:
        settings, layout = self.settings, self.layout
        of_moments, of_bold = 0, 0
        if self._has_moments:
            of_moments = moments.bytes_per_instance(layout, len(self.exposures), pairs=settings.fc)
        if settings.bold is not None:
            n_chosen = len(self.bold_exposures)
            of_bold = bold.bytes_per_instance(settings.bold, layout, n_chosen, self.first_kept)
        return of_moments, of_bold

    @property
    def _has_moments(self) -> bool:
        return self.settings.moments or self.settings.fc

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of the C programs that `open` compiles."""
        of_bold = () if self.settings.bold is None else (bold.PROGRAM,)
        return ((moments.PROGRAM,) if self._has_moments else ()) + of_bold

    def open(self, device: Device) -> MakeObservers:
        """Compile what is needed for a device; gives what makes observers for batches on it.

        Raises KernelError or DeviceError.
        """
        settings, layout, first = self.settings, self.layout, self.first_kept
        programs: list[moments.MomentsProgram | bold.BoldProgram] = []
        if self._has_moments:
            programs.append(moments.MomentsProgram(device, layout, self.exposures, first, pairs=settings.fc))
        if settings.bold is not None:
            programs.append(bold.BoldProgram(device, settings.bold, layout, self.bold_exposures, first))
        return lambda n_instances, capacity: tuple(item.observer(n_instances, capacity) for item in programs)
