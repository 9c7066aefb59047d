"""Sweeps as they are written on a command line and in files: `g=0.1:0.9:8`, `b_e=0,60,120`, points.csv, points.npz.

Reads text into what `sweep` takes; knows no parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from ratemlx.abi import Manifest
from ratemlx.errors import SweepError
from ratemlx.runtime.arrays import AnyArray
from ratemlx.runtime.matrix_text import line_of_row, parse_matrix
from ratemlx.runtime.parameters import find_parameter
from ratemlx.runtime.sweep import Spacing, spaced
from ratemlx.runtime.untrusted import read_text, readable
from ratemlx.runtime.untrusted_arrays import Header, read_npz

FORMS = "write NAME=START:STOP:COUNT, NAME=log:START:STOP:COUNT or NAME=VALUE,VALUE,..."
SPACINGS: dict[str, Spacing] = {"log": "log", "lin": "linear", "linear": "linear"}
MAX_COLUMNS = 1_000


def parse_axes(manifest: Manifest, texts: Iterable[str]) -> dict[str, AnyArray]:
    """Axes by parameter name, in the order written; a range without `log:` or `lin:` takes the model's scale."""
    axes: dict[str, AnyArray] = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name or not values:
            raise SweepError(f"cannot read the sweep {text!r}", FORMS)
        info = find_parameter(manifest, name)
        if info.name in axes:
            raise SweepError(f"{info.name} is swept twice")
        axes[info.name] = _axis(info.name, values, info.scale)
    return axes


def _axis(name: str, text: str, scale: Spacing) -> AnyArray:
    if ":" not in text:
        return np.array([parse_number(part, name) for part in text.split(",")])
    parts = [part.strip() for part in text.split(":")]
    if parts[0].lower() in SPACINGS:
        scale = SPACINGS[parts.pop(0).lower()]
    if len(parts) != 3:
        raise SweepError(f"{name}: {text!r} is not START:STOP:COUNT", FORMS)
    try:
        count = int(parts[2])
    except ValueError:
        raise SweepError(
            f"{name}: the count {parts[2]!r} is not a whole number",
            "the third part is the number of points, not the distance between them",
        ) from None
    return spaced(parse_number(parts[0], name), parse_number(parts[1], name), count, scale, name)


def parse_number(text: str, name: str) -> float:
    """One number; raises SweepError with what it was for."""
    try:
        return float(text)
    except ValueError:
        raise SweepError(f"{name}: {text.strip()[:40]!r} is not a number") from None


def read_points(source: object) -> Mapping[str, object]:
    """Columns of a table of points: a mapping, a structured array, or a .csv (first line: names) or .npz file."""
    if isinstance(source, str | Path):
        return _points_file(Path(source).expanduser())
    if isinstance(source, np.ndarray) and source.dtype.names:
        return {name: source[name] for name in source.dtype.names}
    if isinstance(source, Mapping) or hasattr(source, "keys"):
        columns = cast(Mapping[str, Any], source)
        return {str(name): np.asarray(columns[name]) for name in columns.keys()}  # noqa: SIM118 (a DataFrame is no dict)
    raise SweepError("a table of points is a mapping of columns, a structured array, or a .csv or .npz file")


def _judge_column(name: str, header: Header) -> None:
    if len(header.shape) > 1:
        raise SweepError(f"{name}: the values have {len(header.shape)} dimensions; one is expected")


def _points_file(path: Path) -> Mapping[str, object]:
    if path.suffix == ".npz":
        return dict(read_npz(path, SweepError, judge=_judge_column))
    with readable(path.name, SweepError), path.open("rb") as stream:
        text = read_text(stream, path.name, SweepError)
    matrix = parse_matrix(text, path.name, SweepError, MAX_COLUMNS)
    if not matrix.columns:
        raise SweepError(f"{path.name}: the first line must name the parameters")
    for name in matrix.columns:
        if matrix.columns.count(name) > 1:
            raise SweepError(f"{path.name}: {name} is swept twice")
    for row, column in np.argwhere(~np.isfinite(matrix.values)):
        place = f"{path.name}, line {line_of_row(text, int(row) + 1)}"
        raise SweepError(f"{place}: {matrix.columns[column]} is not finite")
    return dict(zip(matrix.columns, matrix.values.T, strict=True))
