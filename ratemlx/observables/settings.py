"""What to observe, as a user says it; checked when it is made.

Knows nothing of devices or arrays.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Literal

from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import did_you_mean


@dataclass(frozen=True, kw_only=True)
class Balloon:
    """Constants of the Balloon-Windkessel model, times in s: Stephan et al. 2007, NeuroImage 38:387.

    The values are those of TVB's BalloonModel (tvb-library 2.10), for a scanner of 1.5 T; its `V0` of 4 gives the
    signal in percent. `coefficients` are the revised ones (Eq. 12) or the classical ones (Eq. 3, Obata et al. 2004,
    NeuroImage 21:144), and `equation` is the nonlinear or the linear form of the signal (Eq. 13).
    """

    tau_s: float = 1.54
    """Decay of the vasodilatory signal, s."""
    tau_f: float = 1.44
    """Feedback regulation of the flow; enters as 1/tau_f per s^2."""
    tau_o: float = 0.98
    """Transit through the venous compartment, s."""
    alpha: float = 0.32
    """Grubb's exponent: stiffness of the vessels."""
    TE: float = 0.04
    """Echo time, s."""
    V0: float = 4.0
    """Resting blood volume, percent."""
    E0: float = 0.4
    """Oxygen extraction at rest."""
    epsilon: float = 0.5
    """Ratio of intra- to extravascular signal."""
    nu_0: float = 40.3
    """Frequency offset at the surface of magnetized vessels, Hz."""
    r_0: float = 25.0
    """Slope of the intravascular relaxation rate, Hz."""
    gain: float = 1.0
    """What samples are multiplied with before they drive the model."""
    coefficients: Literal["revised", "classical"] = "revised"
    equation: Literal["nonlinear", "linear"] = "nonlinear"
    integrator: Literal["heun", "euler"] = "heun"

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str):
                continue
            _check_number(f"BOLD's {item.name}", value, above_zero=item.name not in ("epsilon", "gain", "r_0"))
        if not self.E0 < 1:
            raise SweepError(f"BOLD's E0 must be below one; it is {self.E0:g}")
        _check_choice("coefficients", self.coefficients, ("revised", "classical"))
        _check_choice("equation", self.equation, ("nonlinear", "linear"))
        _check_choice("integrator", self.integrator, ("heun", "euler"))

    @property
    def k(self) -> tuple[float, float, float]:
        """Coefficients k1, k2 and k3 of the signal."""
        if self.coefficients == "classical":
            return 7.0 * self.E0, 2.0 * self.E0, 1.0 - self.epsilon
        return 4.3 * self.nu_0 * self.E0 * self.TE, self.epsilon * self.r_0 * self.E0 * self.TE, 1.0 - self.epsilon


@dataclass(frozen=True, kw_only=True)
class BoldSettings:
    """The BOLD signal: a volume every `TR` ms, which is the signal at its end or the mean over it.

    The model is advanced by `step` ms at once, driven by the mean of so many samples (None: by every sample).

    `band` (low, high in Hz) filters the finished signal by a Butterworth filter of `order`, forward and backward.
    `fc` asks for the functional connectivity of the finished signal. Windows of its dynamics are `fcd_window` ms long
    and start every `fcd_step` ms (None: every second volume).
    """

    TR: float = 2000.0
    balloon: Balloon = field(default_factory=Balloon)
    step: float | None = None
    volume: Literal["last", "mean"] = "last"
    band: tuple[float, float] | None = None
    order: int = 2
    fc: bool = True
    fcd_window: float = 60_000.0
    fcd_step: float | None = None

    def __post_init__(self) -> None:
        _check_number("BOLD's TR", self.TR, above_zero=True)
        _check_number("BOLD's fcd_window", self.fcd_window, above_zero=True)
        if self.fcd_step is not None:
            _check_number("BOLD's fcd_step", self.fcd_step, above_zero=True)
        if self.step is not None:
            _check_number("BOLD's step", self.step, above_zero=True)
        _check_choice("volume", self.volume, ("last", "mean"))
        if not 1 <= self.order <= 10:
            raise SweepError(f"the order of BOLD's band-pass must be 1 to 10; it is {self.order}")
        if self.band is not None:
            low, high = self.band
            nyquist = 500.0 / self.TR
            if not 0 < low < high < nyquist:
                raise SweepError(
                    f"BOLD's band of {low:g} to {high:g} Hz cannot be had at a TR of {self.TR:g} ms",
                    f"low and high must be above 0, rise, and stay below {nyquist:g} Hz",
                )


@dataclass(frozen=True, kw_only=True)
class ObservableSettings:
    """What to compute of the samples after `transient` ms, of which exposures (None: of all that are observed).

    Moments are mean, variance, minimum and maximum of each region; `fc` is the matrix of Pearson correlations. `bold`
    (None: none) and its connectivity are of `bold_exposures` (None: the same as the others).
    """

    transient: float = 0.0
    exposures: tuple[str, ...] | None = None
    moments: bool = True
    fc: bool = True
    bold: BoldSettings | None = None
    bold_exposures: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check_number("the transient", self.transient, above_zero=False)
        if self.transient < 0:
            raise SweepError(f"the transient must not be below zero; it is {self.transient:g} ms")


def _check_number(name: str, value: float, *, above_zero: bool) -> None:
    if not math.isfinite(value):
        raise SweepError(f"{name} must be a finite number; it is {value}")
    if above_zero and value <= 0:
        raise SweepError(f"{name} must be above zero; it is {value:g}")


def _check_choice(name: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise SweepError(f"BOLD has no {name} {value!r}", did_you_mean(value, known))
