"""Which of tvb-library's classes computes what a shipped model does, and where the two are compared.

Plain data: names and numbers. Nothing of tvb-library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Counterpart:
    """A class of `tvb.simulator.models`, its coupling, and the point at which it is compared with ours.

    Parameters and constants of equal names have equal values; `renamed` maps ours to the class's, or with `coupling.`
    before it to the coupling's. `settings` are parameters that keep the network busy, `start` the limits between
    which each region's state is drawn; other states start at 0.
    """

    tvb_class: str
    settings: Mapping[str, float]
    start: Mapping[str, tuple[float, float]]
    coupling: str = "Linear"
    renamed: Mapping[str, str] = field(default_factory=dict)
    strength: str = "coupling.a"


_DRIVE = {"external_input_ex_ex": 0.4e-3, "external_input_in_ex": 0.45e-3, "global_coupling": 0.4, "b_e": 30.0}
_RATES = {"E": (0.0, 0.02), "I": (0.0, 0.03), "W_e": (0.0, 60.0), "W_i": (0.0, 5.0)}
_COVARIANCES = {"C_ee": (0.0, 1e-6), "C_ei": (0.0, 1e-6), "C_ii": (0.0, 1e-6)}
# That of 1972. Its a_i = 2 is in c_ie, c_ii and b_i: a_i = 1 is a constant that has shaped the kernel.
_LIMIT_CYCLE = {"c_ee": 16.0, "c_ei": 12.0, "a_e": 1.3, "b_e": 4.0, "P": 1.25, "global_coupling": 0.5}
_LIMIT_CYCLE |= {"c_ie": 30.0, "c_ii": 6.0, "b_i": 7.4}

COUNTERPARTS = {
    "adex": Counterpart("ZerlautAdaptationSecondOrder", _DRIVE, {**_RATES, **_COVARIANCES}),
    "adex_first_order": Counterpart("ZerlautAdaptationFirstOrder", _DRIVE, _RATES),
    "epileptor": Counterpart(
        "Epileptor",
        {"global_coupling": 0.5, "Ks": 1.0, "Kvf": 0.5, "Kf": 0.3},
        {"x1": (-2.0, 1.0), "y1": (-20.0, 2.0), "z": (2.0, 5.0), "x2": (-2.0, 0.0), "y2": (0.0, 2.0), "g": (-1.0, 1.0)},
        coupling="Difference",
    ),
    "generic_2d_oscillator": Counterpart(
        "Generic2dOscillator", {"a": 2.0, "global_coupling": 0.3}, {"V": (-2.0, 4.0), "W": (-6.0, 6.0)}
    ),
    "jansen_rit": Counterpart(
        "JansenRit",
        {"mu": 0.15, "global_coupling": 10.0},
        {
            "y0": (0.0, 0.2),
            "y1": (0.0, 30.0),
            "y2": (0.0, 20.0),
            "y3": (-0.01, 0.01),
            "y4": (-1.0, 1.0),
            "y5": (-1.0, 1.0),
        },
        coupling="SigmoidalJansenRit",
        renamed={"nu_tract": "coupling.cmax", "v_tract": "coupling.midpoint", "r_tract": "coupling.r"},
    ),
    # The coupling means to divide its strength by the number of regions, and divides it by that of coupled states, 1.
    "kuramoto": Counterpart("Kuramoto", {"global_coupling": 0.3}, {"theta": (0.0, 6.28)}, coupling="Kuramoto"),
    "linear": Counterpart("Linear", {"gamma": -1.0, "global_coupling": 0.9}, {"x": (-1.0, 1.0)}),
    "montbrio": Counterpart(
        "MontbrioPazoRoxin", {"eta": -4.6, "J": 14.5, "global_coupling": 0.7}, {"r": (0.0, 1.5), "V": (-2.0, 1.0)}
    ),
    "reduced_wong_wang": Counterpart("ReducedWongWang", {"global_coupling": 0.4}, {"S": (0.0, 1.0)}),
    "stuart_landau": Counterpart(
        "SupHopf", {"a": 0.2, "global_coupling": 0.3}, {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}, coupling="Difference"
    ),
    "wilson_cowan": Counterpart("WilsonCowan", _LIMIT_CYCLE, {"E": (0.0, 1.0), "I": (0.0, 1.0)}),
    "wong_wang_exc_inh": Counterpart(
        "ReducedWongWangExcInh", {"global_coupling": 0.25}, {"S_e": (0.0, 1.0), "S_i": (0.0, 1.0)}, strength="G"
    ),
}
"""By the names of our models."""
