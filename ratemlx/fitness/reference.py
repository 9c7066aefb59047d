"""References from files that may be hostile: matrices of functional connectivity, and values of distributions.

Knows file formats, and what a reference must be; nothing of what is compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemlx.errors import MetricError
from ratemlx.fitness.order import region_order
from ratemlx.runtime.arrays import AnyArray, Floats, Int64s
from ratemlx.runtime.matrix_text import parse_matrix
from ratemlx.runtime.untrusted import read_text, readable
from ratemlx.runtime.untrusted_arrays import Header, names_in, read_npy, read_npz

MAX_REGIONS = 10_000
MAX_VALUES = 10_000_000
ASYMMETRY = 1e-4
"""Most that a matrix may differ from its transpose; files of float32 or of few decimals do a little."""
FORMS = "give an .npy, an .npz with an array named fc, or a .csv"
FC_NAMES = ("fc", "FC", "functional_connectivity")
LABEL_NAMES = ("region_labels", "labels")


@dataclass(frozen=True, eq=False)
class FCReference:
    """Functional connectivity to compare with: (exposure, row, row), one exposure or as many as are compared.

    `regions` has the connectome's index of every row.
    """

    name: str
    values: Floats
    regions: Int64s

    def matrix(self, index: int) -> Floats:
        """That of the exposure of this index; the only one serves all."""
        matrix: Floats = self.values[index if len(self.values) > 1 else 0]
        return matrix


def load_fc(path: Path, order: str | None, labels: Sequence[str], exposures: Sequence[str]) -> FCReference:
    """A reference for a connectome of regions `labels`; raises MetricError with what is wrong.

    The file holds one matrix, or one for each of the `exposures` along its last axis.
    """
    array, own = _matrix_and_labels(path)
    values = _checked(array, path.name, exposures)
    return FCReference(path.name, values, region_order(order, own, labels, values.shape[-1], path.name))


def load_values(path: Path) -> Floats:
    """Values of a distribution, of any shape in the file; raises MetricError with what is wrong."""
    if path.suffix in (".npy", ".npz"):
        array = _array(path, (), _judge_values)
    else:
        array = parse_matrix(_text_of(path), path.name, MetricError, MAX_VALUES).values
    values = _numbers(array, path.name).ravel()
    if not values.size:
        raise MetricError(f"{path.name} holds no values")
    if not np.isfinite(values).all():
        raise MetricError(f"{path.name} holds values that are not finite numbers")
    return values


def _matrix_and_labels(path: Path) -> tuple[AnyArray, tuple[str, ...]]:
    if path.suffix == ".npy":
        return _array(path, FC_NAMES, _judge_matrix), ()
    if path.suffix == ".npz":
        known = names_in(path, MetricError) if path.is_file() else []
        labels = next((name for name in LABEL_NAMES if name in known), None)
        own: tuple[str, ...] = ()
        if labels is not None:
            found = read_npz(path, MetricError, {labels}, _judge_labels)[labels]
            own = tuple(str(item) for item in found.ravel().tolist())
        return _array(path, FC_NAMES, _judge_matrix), own
    if path.suffix in (".csv", ".tsv", ".txt"):
        table = parse_matrix(_text_of(path), path.name, MetricError, MAX_REGIONS, square=True)
        return table.values, table.columns
    raise MetricError(f"{path.name} is not a kind of reference that can be read", FORMS)


def _array(path: Path, names: Sequence[str], judge: object) -> AnyArray:
    """The array of an .npy, or that of an .npz which has one of the names or is the only one but for labels."""
    if path.suffix == ".npy":
        return read_npy(path, MetricError, judge)  # type: ignore[arg-type]
    known = [name for name in names_in(path, MetricError) if name not in LABEL_NAMES]
    name = next((name for name in names if name in known), known[0] if len(known) == 1 else None)
    if name is None:
        shown = ", ".join(known)[:200] or "nothing"
        raise MetricError(f"it is not clear which array of {path.name} is the reference: it holds {shown}", FORMS)
    return read_npz(path, MetricError, {name}, judge)[name]  # type: ignore[arg-type]


def _judge_matrix(name: str, header: Header) -> None:
    shape = header.shape
    if len(shape) not in (2, 3) or shape[0] != shape[1] or 0 in shape:
        sizes = " x ".join(map(str, shape)) or "a single number"
        raise MetricError(
            f"{name} is {sizes}, not a matrix of regions x regions", "or one for each exposure, along the last axis"
        )
    if shape[0] > MAX_REGIONS:
        raise MetricError(f"{name} is for {shape[0]:,} regions, more than the {MAX_REGIONS:,} supported")


def _judge_values(name: str, header: Header) -> None:
    size = int(np.prod(header.shape, dtype=object))
    if size > MAX_VALUES:
        raise MetricError(f"{name} holds {size:,} values, more than the {MAX_VALUES:,} supported")


def _judge_labels(name: str, header: Header) -> None:
    if header.dtype.kind != "U" or len(header.shape) != 1 or header.shape[0] > MAX_REGIONS:
        raise MetricError(f"the {name} of a reference must be one text for each region")


def _checked(array: AnyArray, name: str, exposures: Sequence[str]) -> Floats:
    """(exposure, row, row) in float64, symmetric and with something to compare off the diagonal."""
    values = np.moveaxis(_numbers(array, name), -1, 0) if array.ndim == 3 else _numbers(array, name)[None]
    if len(values) not in (1, len(exposures)):
        raise MetricError(
            f"{name} holds {len(values)} matrices, and fitness is taken of {len(exposures)} exposures",
            f"choose which, in the order of the file; there are {', '.join(exposures)}",
        )
    if not values.size:
        raise MetricError(f"{name} is empty", FORMS)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        exposure, row, column = bad[0]
        number = values[exposure, row, column]
        raise MetricError(f"{name} holds {number} in row {row}, column {column} (counted from 0)")
    apart = np.abs(values - values.transpose(0, 2, 1))
    if apart.max() > ASYMMETRY * max(1.0, float(np.abs(values).max())):
        _, row, column = np.unravel_index(int(apart.argmax()), apart.shape)
        raise MetricError(
            f"{name} is not symmetric: row {row}, column {column} (counted from 0) differs from its mirror by "
            f"{apart.max():.3g}",
            "functional connectivity is; is it a matrix of weights or of effective connectivity?",
        )
    off = ~np.eye(values.shape[-1], dtype=bool)
    if values.shape[-1] < 3 or any(np.ptp(matrix[off]) == 0 for matrix in values):
        raise MetricError(f"{name} has nothing to compare with: its entries off the diagonal are all the same")
    return np.ascontiguousarray((values + values.transpose(0, 2, 1)) / 2)


def _numbers(array: AnyArray, name: str) -> Floats:
    if array.dtype.kind not in "fiu":
        raise MetricError(f"{name} does not hold real numbers, but {array.dtype}")
    return array.astype(np.float64)


def _text_of(path: Path) -> str:
    with readable(path.name, MetricError), path.open("rb") as stream:
        return read_text(stream, path.name, MetricError)
