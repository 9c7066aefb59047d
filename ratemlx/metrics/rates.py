"""Firing rates: mean, standard deviation and extremes, over all regions and of each. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping

from ratemlx.metrics.arrays import Array, ratio
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording


@metric(
    outputs=(
        Output("mean_FR", "{x}", "Mean over time and regions"),
        Output("std_FR", "{x}", "Standard deviation over time and regions together"),
        Output("max_FR", "{x}", "Largest value of any region at any time"),
        Output("min_FR", "{x}", "Smallest value of any region at any time"),
    ),
    needs="statistics",
    groups=TABLE_2,
    reference=PAPER,
)
def firing_rate(recording: Recording) -> Mapping[str, Array]:
    """Mean, standard deviation and extremes of the firing rate.

    The variance is the population's: the mean over regions of the variance in time plus the variance over regions of
    the mean in time. For an exposure that is no rate, the same of that exposure in its own unit.
    """
    moments = recording.moments
    variance = moments.variance.mean(axis=1) + moments.mean.var(axis=1)
    return {
        "mean_FR": moments.mean.mean(axis=1),
        "std_FR": recording.xp.sqrt(variance),
        "max_FR": moments.maximum.max(axis=1),
        "min_FR": moments.minimum.min(axis=1),
    }


@metric(
    outputs=(
        Output("region_mean_FR", "{x}", "Mean over time", regional=True),
        Output("region_std_FR", "{x}", "Standard deviation in time", regional=True),
        Output("region_max_FR", "{x}", "Largest value", regional=True),
        Output("region_min_FR", "{x}", "Smallest value", regional=True),
    ),
    needs="statistics",
    groups=TABLE_2,
    reference=PAPER,
)
def regional_firing_rate(recording: Recording) -> Mapping[str, Array]:
    """Mean, standard deviation and extremes of the firing rate of each region.

    Over time; the standard deviation is the population's.
    """
    moments = recording.moments
    return {
        "region_mean_FR": moments.mean,
        "region_std_FR": recording.xp.sqrt(moments.variance),
        "region_max_FR": moments.maximum,
        "region_min_FR": moments.minimum,
    }


@metric(
    outputs=(Output("coeff_var", "1", "Standard deviation over time and regions, divided by the mean"),),
    needs="statistics",
    groups=TABLE_2,
    reference=PAPER,
)
def coefficient_of_variation(recording: Recording) -> Mapping[str, Array]:
    """Coefficient of variation of the firing rate: std_FR / mean_FR.

    Undefined where the mean is zero. (The code of the paper has the inverse under this name.)
    """
    found = firing_rate.function(recording)
    return {"coeff_var": ratio(recording.xp, found["std_FR"], found["mean_FR"])}
