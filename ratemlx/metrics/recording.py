"""What metrics look at: some instances' data of one exposure, and all that several metrics compute from them.

Intermediates (traces, spectra, phases, correlations) are computed when first asked for and kept, so that no two metrics
compute the same thing twice. Knows arrays, no metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from ratemlx.errors import MetricError
from ratemlx.metrics.arrays import Array, Namespace, namespace
from ratemlx.metrics.correlate import correlations, fluctuates
from ratemlx.metrics.smooth import gaussian_smooth

RATE_UNITS = {"kHz": 1e3, "1/ms": 1e3, "Hz": 1.0, "1/s": 1.0, "mHz": 1e-3}
"""Units of rates, and what they are in Hz."""

SMOOTHING_MS = 10.0
"""Standard deviation of the Gaussian by which up and down states are found."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Moments of each region, (instance, region): population variance, in the exposure's unit; fc or None."""

    mean: Array
    variance: Array
    minimum: Array
    maximum: Array
    fc: Array | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Data of some instances for one exposure: a series, or statistics of one that was not kept, or both.

    values: (instance, time, region), or None; period: ms between samples; weights and tract_lengths: raw, (region,
    region), row i holding what region i receives; references: values to compare distributions with, by name (`FCD`,
    `phFCD`). The windows of functional connectivity dynamics are `fcd_window` ms long and start every `fcd_step` ms.
    """

    values: Array | None
    period: float
    unit: str = ""
    labels: tuple[str, ...] = ()
    weights: Array | None = None
    tract_lengths: Array | None = None
    statistics: Statistics | None = None
    references: Mapping[str, Array] = field(default_factory=dict)
    fcd_window: float = 1000.0
    fcd_step: float = 100.0

    def __post_init__(self) -> None:
        if self.values is None and self.statistics is None:
            raise MetricError("a recording has neither a series nor statistics")
        if self.values is not None and self.values.ndim != 3:
            raise MetricError(f"a series has the shape (instance, time, region), not {self.values.shape}")
        if not self.period > 0:
            raise MetricError(f"the period of a recording is {self.period} ms", "it is a positive number of ms")

    @property
    def _shape(self) -> tuple[int, ...]:
        if self.values is not None:
            return tuple(self.values.shape)
        assert self.statistics is not None
        instances, regions = self.statistics.mean.shape
        return instances, 0, regions

    @property
    def n_instances(self) -> int:
        """Number of instances."""
        return self._shape[0]

    @property
    def n_samples(self) -> int:
        """Samples of each series; 0 if there is none."""
        return self._shape[1]

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return self._shape[2]

    @property
    def sampling_rate(self) -> float:
        """Samples per second."""
        return 1000.0 / self.period

    @property
    def is_rate(self) -> bool:
        """True if the exposure is a rate; its traces are in Hz then."""
        return self.unit in RATE_UNITS

    @property
    def trace_unit(self) -> str:
        """Unit of the traces and moments: Hz for every rate, else the exposure's own."""
        return "Hz" if self.is_rate else self.unit

    @property
    def scale(self) -> float:
        """What the exposure's numbers are multiplied by to be in `trace_unit`."""
        return RATE_UNITS.get(self.unit, 1.0)

    @cached_property
    def _namespace(self) -> Namespace:
        return namespace(self.values if self.values is not None else self.statistics.mean)  # type: ignore[union-attr]

    @property
    def xp(self) -> Any:
        """The package of the arrays: numpy, or cupy."""
        return self._namespace.xp

    @property
    def fft(self) -> Any:
        """The discrete Fourier transforms for the arrays: scipy.fft, or cupyx.scipy.fft."""
        return self._namespace.fft

    def to_host(self, array: Array) -> Array:
        """An array as one of NumPy, copied from the device if need be."""
        return self._namespace.to_host(array)

    def to_device(self, array: Array) -> Array:
        """An array where the data are, in float64."""
        return self.xp.asarray(array, dtype=self.xp.float64)

    def take(self, first: int, last: int) -> Recording:
        """The instances from `first` up to `last`, without what was computed."""
        return self._part(slice(first, last))

    def pick(self, rows: Array) -> Recording:
        """The instances at some places (a NumPy array), without what was computed."""
        return self._part(self.xp.asarray(rows))

    def _part(self, part: Any) -> Recording:
        statistics = self.statistics
        if statistics is not None:
            pairs = ((item.name, getattr(statistics, item.name)) for item in fields(statistics))
            statistics = Statistics(**{name: None if array is None else array[part] for name, array in pairs})
        return replace(self, values=None if self.values is None else self.values[part], statistics=statistics)

    # ── what several metrics use ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def finite(self) -> Array:
        """(instance,): True where all data are finite numbers. Metrics of other instances are undefined."""
        xp = self.xp
        given = [] if self.values is None else [self.values.reshape(self.n_instances, -1)]
        if self.statistics is not None:
            given += [self.statistics.mean, self.statistics.variance]
        finite = [xp.isfinite(array).all(axis=1) for array in given]
        return finite[0] if len(finite) == 1 else finite[0] & finite[-1] & finite[-2]

    @cached_property
    def traces(self) -> Array:
        """(instance, region, time), float64, contiguous in time, in `trace_unit`; zero where not `finite`."""
        xp = self.xp
        if self.values is None:
            raise MetricError("these metrics need the series, which was not kept")
        traces = xp.moveaxis(self.values, 1, 2).astype(xp.float64, order="C")
        if not bool(self.to_host(self.finite.all())):
            traces = xp.where(self.finite[:, None, None], traces, 0.0)
        traces *= self.scale
        return traces

    @cached_property
    def moments(self) -> Statistics:
        """Mean, population variance and extremes of each region, in `trace_unit`: as given, else of the traces."""
        given = self.statistics
        if given is None:
            return Statistics(
                mean=self.traces.mean(axis=-1),
                variance=self.centred_energy / max(self.n_samples, 1),
                minimum=self.traces.min(axis=-1),
                maximum=self.traces.max(axis=-1),
            )
        return Statistics(
            mean=self.to_device(given.mean) * self.scale,
            variance=self.to_device(given.variance) * self.scale**2,
            minimum=self.to_device(given.minimum) * self.scale,
            maximum=self.to_device(given.maximum) * self.scale,
        )

    @cached_property
    def centred(self) -> Array:
        """(instance, region, time): the traces less their means.

        The first sample is taken off first, so that the mean of a nearly constant trace is exact.
        """
        centred = self.traces - self.traces[..., :1]
        centred -= centred.mean(axis=-1, keepdims=True)
        return centred

    @cached_property
    def centred_energy(self) -> Array:
        """(instance, region): sums of squares of the centred traces."""
        return self.xp.square(self.centred).sum(axis=-1)

    @cached_property
    def fluctuates(self) -> Array:
        """(instance, region): True where a trace is not constant but for the rounding of the numbers given."""
        xp = self.xp
        largest = xp.maximum(self.traces.max(axis=-1), -self.traces.min(axis=-1))
        assert self.values is not None
        return fluctuates(xp, self.centred_energy, self.n_samples, largest, self.values.dtype)

    @cached_property
    def fc(self) -> Array:
        """(instance, region, region): functional connectivity as streamed, else Pearson correlations of the traces.

        A constant region correlates 0 with every region, itself included.
        """
        if self.statistics is not None and self.statistics.fc is not None:
            return self.to_device(self.statistics.fc)
        products = self.centred @ self.xp.swapaxes(self.centred, 1, 2)
        return correlations(self.xp, products, self.fluctuates)

    @cached_property
    def fc_defined(self) -> Array:
        """(instance,): True where at least two regions fluctuate."""
        xp = self.xp
        diagonal = xp.diagonal(self.fc, axis1=1, axis2=2)
        return (diagonal > 0).sum(axis=1) >= 2

    @cached_property
    def spectrum(self) -> Array:
        """(instance, region, frequency): the discrete Fourier transform of the traces, from 0 up to Nyquist."""
        return self.fft.rfft(self.traces, axis=-1)

    @cached_property
    def frequencies(self) -> Array:
        """(frequency,): positive frequencies below Nyquist's, in Hz."""
        count = (self.n_samples - 1) // 2
        return self.xp.arange(1, count + 1) * (self.sampling_rate / max(self.n_samples, 1))

    @cached_property
    def power(self) -> Array:
        """(instance, frequency): |spectrum|^2 at `frequencies`, averaged over regions, in trace_unit^2."""
        xp = self.xp
        part = self.spectrum[..., 1 : 1 + (self.n_samples - 1) // 2]
        return (xp.square(part.real) + xp.square(part.imag)).mean(axis=1)

    @cached_property
    def hilbert(self) -> Array:
        """(instance, region, time): Hilbert transform of the traces, the imaginary part of their analytic signals."""
        quadrature = self.spectrum * -1j
        quadrature[..., 0] = 0.0
        if self.n_samples % 2 == 0:
            quadrature[..., -1] = 0.0
        return self.fft.irfft(quadrature, n=self.n_samples, axis=-1)

    @cached_property
    def smoothed(self) -> Array:
        """(instance, region, time): the traces convolved with a Gaussian of 10 ms, as if zero before and after."""
        return gaussian_smooth(self.xp, self.fft, self.traces, SMOOTHING_MS / self.period)
