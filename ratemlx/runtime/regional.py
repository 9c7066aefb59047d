"""One value per region: reading such values, and parameters that vary between regions.

A parameter that varies is the product of an instance's own value and a factor for each region, so that it can be swept
as well. Knows the manifest and files of numbers; no device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from ratemlx.abi import Manifest
from ratemlx.errors import RatemlxError, SweepError
from ratemlx.runtime.arrays import AnyArray, Floats, did_you_mean
from ratemlx.runtime.connectome import Connectome
from ratemlx.runtime.matrix_text import parse_matrix
from ratemlx.runtime.parameters import speed_parameter
from ratemlx.runtime.untrusted import read_text, readable
from ratemlx.runtime.untrusted_arrays import names_in, read_npy, read_npz

FILE_MARK = "@"
MAX_COLUMNS = 10_000


def read_numbers(path: Path, error: type[RatemlxError] = SweepError) -> AnyArray:
    """Numbers of a .npy, .npz (one array) or text file; raises `error` for anything else."""
    if path.suffix == ".npy":
        return read_npy(path, error)
    if path.suffix == ".npz":
        names = names_in(path, error)
        if len(names) != 1:
            raise error(f"{path.name} holds {len(names)} arrays; one is expected")
        return read_npz(path, error)[names[0]]
    with readable(path.name, error), path.open("rb") as stream:
        text = read_text(stream, path.name, error)
    return parse_matrix(text, path.name, error, MAX_COLUMNS).values


def by_region(value: object, connectome: Connectome, what: str, *, missing: float | None = None) -> Floats:
    """One number per region from an array, a file ("@values.csv"), or a mapping from region labels to numbers.

    A mapping must name every region unless `missing` says what the others get. Raises SweepError.
    """
    if isinstance(value, str) and value.startswith(FILE_MARK):
        value = Path(value.removeprefix(FILE_MARK)).expanduser()
    if isinstance(value, str):
        raise SweepError(f"{what}: {value[:40]!r} is not a number", 'a file with one value per region is named "@FILE"')
    if isinstance(value, Path):
        value = read_numbers(value).reshape(-1)
    if isinstance(value, Mapping):
        value = _from_labels(cast("Mapping[str, float]", value), connectome, what, missing)
    try:
        numbers = np.array(value, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise SweepError(f"{what}: one number per region is expected") from None
    if numbers.size != connectome.n_regions:
        raise SweepError(f"{what} has {numbers.size} values; {connectome.name} has {connectome.n_regions} regions")
    if not np.isfinite(numbers).all():
        raise SweepError(f"{what} has values that are not finite")
    return numbers


def _from_labels(given: Mapping[str, float], connectome: Connectome, what: str, missing: float | None) -> Floats:
    labels = list(connectome.region_labels)
    for label in given:
        if label not in labels:
            raise SweepError(f"{what}: {connectome.name} has no region {label!r}", did_you_mean(label, labels))
    absent = [label for label in labels if label not in given]
    if absent and missing is None:
        raise SweepError(f"{what} lacks {len(absent)} regions, such as {absent[0]!r}")
    return np.array([given.get(label, missing) for label in labels], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Overrides:
    """Settings of a run: those that are one number, and the factors of those that vary between regions."""

    numbers: Mapping[str, object]
    factors: Mapping[str, Floats]

    def matrix(self, manifest: Manifest, n_regions: int) -> Floats | None:
        """Factors of shape (parameter, region), ones where nothing varies; None if nothing does at all."""
        if not self.factors:
            return None
        ones = np.ones(n_regions)
        return np.stack([self.factors.get(item.name, ones) for item in manifest.parameters])


def is_regional(value: object) -> bool:
    """Whether a setting gives a value per region rather than one number."""
    if isinstance(value, str | Path | Mapping):
        return True
    return not isinstance(value, int | float) and np.ndim(value) > 0  # type: ignore[arg-type]


def is_uniform(value: object) -> bool:
    """Whether an array of values per region has the same in all of them; not known, so False, of files and mappings."""
    if isinstance(value, str | Path | Mapping):
        return False
    numbers = np.asarray(value, dtype=np.float64).reshape(-1)
    return bool(numbers.size and (numbers == numbers[0]).all())


def split_regional(
    manifest: Manifest, settings: Mapping[str, object], connectome: Connectome, swept: tuple[str, ...]
) -> Overrides:
    """Separate settings that vary between regions; equal values in all regions are one number. Raises SweepError."""
    numbers: dict[str, object] = {}
    factors: dict[str, Floats] = {}
    for name, value in settings.items():
        if not is_regional(value):
            numbers[name] = value
            continue
        values = by_region(value, connectome, name)
        if (values == values[0]).all() and name not in swept:
            numbers[name] = float(values[0])
            continue
        _check_can_vary(manifest, name)
        factors[name] = values
        if name not in swept:
            numbers[name] = 1.0
    return Overrides(numbers, factors)


def _check_can_vary(manifest: Manifest, name: str) -> None:
    if name == speed_parameter(manifest).name:
        raise SweepError(f"{name} is one number for the whole network", "different tracts have different lengths")
    if name in {item.name for item in manifest.constants}:
        raise SweepError(
            f"constant {name} is one number in this kernel",
            f"generate one in which it may vary between regions: ratemlx generate {manifest.model} --regional {name}",
        )
