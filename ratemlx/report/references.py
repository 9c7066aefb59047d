"""Matrices that a run was compared with: the file references.npz in its folder.

Each array is a matrix over regions in the connectome's order, NaN where it says nothing of a region. Its name is that
of the matrix, followed by a dot and the exposure where it belongs to one: "FC.E", "weights".
"""

from __future__ import annotations

from pathlib import Path

from ratemlx.errors import ResultError
from ratemlx.report.run import Matrix
from ratemlx.runtime.untrusted_arrays import Header, read_npz

REFERENCES_FILE = "references.npz"
NO_INSTANCE = -1


def read_references(folder: Path, n_regions: int) -> tuple[Matrix, ...]:
    """The matrices, none if there is no file; raises ResultError for anything else than matrices over the regions."""
    path = folder / REFERENCES_FILE
    if not path.is_file():
        return ()

    def judge(name: str, header: Header) -> None:
        if header.shape != (n_regions, n_regions) or header.dtype.kind not in "fiu":
            raise ResultError(f"{path}: {name} is not a matrix of numbers over {n_regions:,} regions")

    found = []
    for name, values in read_npz(path, ResultError, judge=judge).items():
        title, _, exposure = name.partition(".")
        found.append(Matrix(NO_INSTANCE, title, exposure, values))
    return tuple(found)
