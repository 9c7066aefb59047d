"""Names for instances that the noise generator counts with.

An instance is what its parameters are, not where it stands: its identity is a hash of all its parameter values in
float64, in the order of their names, conduction speed included. So its noise does not depend on the batch, the rank
or the order of the sweep, nor on what else is swept, and adding points to a sweep changes no point that was there.
Two equal points have equal noise; repeats under different noise are runs with different seeds.

56 bits fit into the generator's counter: word 0 holds the low 32, word 1 the next 24 (the kernel's stream number has
the remaining 8). Among a million instances two share a name with a probability of 7e-6.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ratemlx.runtime.arrays import Int64s, Words
from ratemlx.runtime.parameters import ParameterTable

BITS = 56


def identities(table: ParameterTable, instances: Int64s) -> Words:
    """Two words for each of some instances, shape (instance, 2)."""
    rows = table.rows(tuple(sorted(table.columns)), instances) + 0.0
    packed = rows.astype("<f8")
    digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=BITS // 8).digest() + b"\0" for row in packed)
    return np.frombuffer(digests, dtype="<u4").reshape(-1, 2).astype(np.uint32)
