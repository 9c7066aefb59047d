"""A folder that fills up batch by batch, survives being killed, and becomes one file of time series at the end.

Every file appears whole or not at all. Knows batches and fingerprints; nothing of kernels.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.runtime.arrays import AnyArray, bytes_text
from ratemlx.runtime.cache import replacing
from ratemlx.runtime.engine import BatchResult
from ratemlx.runtime.fingerprint import differences
from ratemlx.runtime.result import (
    FIGURE_FILE,
    PARAMETERS_FILE,
    RUN_FILE,
    SERIES_FILE,
    read_json,
    write_json,
    write_parameters,
)
from ratemlx.runtime.series import Block, SeriesInfo, write_netcdf

BATCHES = "batches"


class ResultFolder:
    """Results of one run on disk; opened for a fingerprint, which what is already there must match."""

    def __init__(self, folder: Path, fingerprint: Mapping[str, str], *, restart: bool = False) -> None:
        """Open or create; raises ResultError if the folder holds another run and `restart` is not given."""
        self.path = folder
        self._batches = folder / BATCHES
        self._fingerprint = dict(fingerprint)
        try:
            if restart:
                self._clear()
            elif (folder / RUN_FILE).exists():
                self._check()
            self._batches.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultError(f"results cannot be written to {folder}: {error.strerror}") from error

    def _check(self) -> None:
        there = read_json(self.path / RUN_FILE).get("fingerprint")
        changed = differences(there if isinstance(there, dict) else {}, self._fingerprint)
        if changed:
            raise ResultError(
                f"{self.path} holds another run; what differs: {', '.join(changed)}",
                "choose another folder, or add --restart to replace what is there",
            )

    def _clear(self) -> None:
        for name in (RUN_FILE, SERIES_FILE, PARAMETERS_FILE, FIGURE_FILE):
            (self.path / name).unlink(missing_ok=True)
        if self._batches.is_dir():
            shutil.rmtree(self._batches)

    @property
    def complete(self) -> bool:
        """Whether all batches are there and put together."""
        return (self.path / SERIES_FILE).exists()

    def begin(self, info: SeriesInfo, provenance: Mapping[str, Any], result_bytes: int) -> None:
        """Write what the run is and its parameters; raises ResultError when the disk is too small."""
        free = shutil.disk_usage(self.path).free
        if 2 * result_bytes > free:
            raise ResultError(
                f"the time series take {bytes_text(result_bytes)}, twice that while they are put together;"
                f" {bytes_text(free)} are free in {self.path}",
                "observe fewer exposures, or use a longer period",
            )
        write_json(self.path / RUN_FILE, {**provenance, "fingerprint": self._fingerprint, "complete": False})
        write_parameters(self.path / PARAMETERS_FILE, info)

    def finished(self, n_instances: int) -> AnyArray:
        """Which instances are already there, as booleans."""
        done = np.zeros(n_instances, dtype=bool)
        for path in self._files():
            done[_load(path, "instances")] = True
        return done

    def keep(self, batch: BatchResult) -> None:
        """Write a finished batch; when this returns, it survives a crash."""
        path = self._batches / f"{int(batch.instances[0]):010d}.npz"
        try:
            with replacing(path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, instances=batch.instances, series=batch.series, diverged_at=batch.diverged_at)
        except OSError as error:
            raise ResultError(f"{path} cannot be written: {error.strerror}", "finished batches are kept") from error

    def finish(self, info: SeriesInfo, dtype: np.dtype[Any], provenance: Mapping[str, Any]) -> None:
        """Put all batches together into one file, then delete them."""
        try:
            write_netcdf(self.path / SERIES_FILE, info, dtype, self._blocks())
            write_json(self.path / RUN_FILE, {**provenance, "fingerprint": self._fingerprint, "complete": True})
            shutil.rmtree(self._batches)
        except OSError as error:
            raise ResultError(
                f"results cannot be written to {self.path}: {error}", "finished batches are kept"
            ) from error

    def _files(self) -> list[Path]:
        return sorted(self._batches.glob("*.npz"))

    def _blocks(self) -> Iterator[Block]:
        for path in self._files():
            yield _load(path, "instances"), _load(path, "series"), _load(path, "diverged_at")


def _load(path: Path, name: str) -> AnyArray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            array: AnyArray = arrays[name]
            return array
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(f"{path} is damaged", "delete it and run the same command again") from error
