"""The part of the default mode network among the regions that stand out. Knows recordings only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ratemlx.metrics.arrays import Array
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording

DEFAULT_MODE = ("inferiorparietal", "isthmuscingulate", "medialorbitofrontal", "posteriorcingulate", "precuneus")
"""Regions of the default mode network by their names in the atlas of Desikan et al. 2006, on either side: medial
prefrontal, posterior cingulate with retrosplenial, and inferior parietal cortex with the precuneus (Buckner et al.
2008, Ann. N. Y. Acad. Sci. 1124:1). The code of the paper has eight regions by their position in a connectome file."""

SEED = "posteriorcingulate"
LARGEST = 10
"""How many regions stand out."""


@metric(
    outputs=(Output("ratio_frmean_dmn", "1", "Share of the ten regions of highest rate in the default mode network"),),
    needs="statistics",
    groups=TABLE_2,
    reference=f"{PAPER}; regions: Buckner et al. 2008",
)
def default_mode_rate(recording: Recording) -> Mapping[str, Array]:
    """Share of the default mode network among the ten regions of highest mean rate.

    The network is the inferior parietal, isthmus cingulate, medial orbitofrontal and posterior cingulate cortex and
    the precuneus of both sides, by the labels' Desikan-Killiany names (`l_precuneus`, `ctx-lh-precuneus`, ...).
    Undefined where a name is missing, and for networks of ten regions or fewer.
    """
    members = named_regions(recording.labels, DEFAULT_MODE)
    return {"ratio_frmean_dmn": _share(recording, recording.moments.mean, members)}


@metric(
    outputs=(
        Output(
            "ratio_zscore_dmn",
            "1",
            "Share of the ten regions most correlated with the seed in the default mode network",
        ),
    ),
    needs="fc",
    groups=TABLE_2,
    reference=f"{PAPER}; regions: Buckner et al. 2008",
)
def default_mode_connectivity(recording: Recording) -> Mapping[str, Array]:
    """Share of the default mode network among the ten regions most correlated with the posterior cingulate cortex.

    The seed, which counts, is that of either side; the share is the mean of both. The network as in
    default_mode_rate. Undefined where fewer than two regions fluctuate.
    """
    xp = recording.xp
    members = named_regions(recording.labels, DEFAULT_MODE)
    seeds = named_regions(recording.labels, (SEED,))
    if not members or not seeds:
        return {"ratio_zscore_dmn": xp.full(recording.n_instances, xp.nan)}
    shares = [_share(recording, recording.fc[:, seed], members) for seed in seeds]
    mean = sum(shares) / len(shares)
    return {"ratio_zscore_dmn": xp.where(recording.fc_defined, mean, xp.nan)}


def named_regions(labels: tuple[str, ...], names: tuple[str, ...]) -> list[int]:
    """Indices of the regions with these names, whatever prefix tells their side; empty if any name is missing."""
    bare = [
        re.sub(r"[^a-z]+", "", re.sub(r"^(ctx[-_.])?(lh|rh|l|r|left|right)[-_. ]", "", item.lower())) for item in labels
    ]
    if any(name not in bare for name in names):
        return []
    return [index for index, name in enumerate(bare) if name in names]


def _share(recording: Recording, values: Array, members: list[int]) -> Array:
    """Share of `members` among the regions of the largest values (instance, region)."""
    xp = recording.xp
    if not members or recording.n_regions <= LARGEST:
        return xp.full(recording.n_instances, xp.nan)
    network = xp.zeros(recording.n_regions)
    network[xp.asarray(members)] = 1.0
    largest = xp.argsort(-values, axis=1)[:, :LARGEST]
    return network[largest].mean(axis=1)
