"""Mean functional connectivity, and how it goes with the structural one. Knows recordings only."""

from __future__ import annotations

from collections.abc import Mapping

from ratemlx.metrics.arrays import Array, inner
from ratemlx.metrics.base import Output, metric
from ratemlx.metrics.correlate import standardised
from ratemlx.metrics.paper import PAPER, TABLE_2
from ratemlx.metrics.recording import Recording


@metric(
    outputs=(Output("mean_FC", "1", "Mean Pearson correlation of pairs of regions"),),
    needs="fc",
    groups=TABLE_2,
    reference=PAPER,
)
def mean_functional_connectivity(recording: Recording) -> Mapping[str, Array]:
    """Mean of the matrix of Pearson correlations between regions, with its diagonal counted as zero.

    A constant region correlates 0 with all others; undefined where fewer than two regions fluctuate.
    """
    xp, fc = recording.xp, recording.fc
    total = fc.sum(axis=(1, 2)) - xp.diagonal(fc, axis1=1, axis2=2).sum(axis=1)
    return {"mean_FC": xp.where(recording.fc_defined, total / recording.n_regions**2, xp.nan)}


@metric(
    outputs=(
        Output("corr_FC_SC", "1", "Correlation of functional connectivity with structural weights"),
        Output("corr_FC_tract", "1", "Correlation of functional connectivity with tract lengths"),
    ),
    needs="fc",
    groups=TABLE_2,
    reference=PAPER,
)
def structure_function(recording: Recording) -> Mapping[str, Array]:
    """Pearson correlation of functional connectivity with the connectome's weights, and with its tract lengths.

    Over all entries of both matrices, diagonal and zeros included, of weights and lengths as the file has them.
    Undefined without a connectome, where all its entries are equal, or where fewer than two regions fluctuate.
    """
    return {
        "corr_FC_SC": _correlation(recording, recording.weights),
        "corr_FC_tract": _correlation(recording, recording.tract_lengths),
    }


def _correlation(recording: Recording, matrix: Array | None) -> Array:
    xp = recording.xp
    if matrix is None:
        return xp.full(recording.n_instances, xp.nan)
    structure = standardised(xp, recording.to_device(matrix).reshape(1, -1))
    function = standardised(xp, recording.fc.reshape(recording.n_instances, -1))
    defined = recording.fc_defined & (xp.abs(structure).max() > 0)
    return xp.where(defined, inner(structure, function), xp.nan)
