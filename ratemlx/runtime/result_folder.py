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
from ratemlx.runtime.batch import BatchResult
from ratemlx.runtime.cache import replacing, temporary_pattern
from ratemlx.runtime.fingerprint import differences, digest
from ratemlx.runtime.result import (
    FIGURE_FILE,
    PARAMETERS_FILE,
    RUN_FILE,
    SERIES_FILE,
    is_complete,
    read_json,
    write_json,
    write_parameters,
)
from ratemlx.runtime.series import Block, SeriesInfo, write_netcdf

BATCHES = "batches"
STAMP = "run"
"""Name of the array in a batch that says of which run it is."""


class ResultFolder:
    """Results of one run on disk; opened for a fingerprint, which what is already there must match.

    run.json says which run a folder holds: it is written before anything else and deleted after everything else, so
    that a process may be killed at any time and what it leaves is never taken for part of another run. One process at
    a time may have a folder open (`folder_lock`).
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, str], *, restart: bool = False) -> None:
        """Open or create; raises ResultError if the folder holds another run and `restart` is not given."""
        self.path = folder
        self._batches = folder / BATCHES
        self._fingerprint = dict(fingerprint)
        self._stamp = digest(fingerprint)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if restart:
                self._clear()
            elif (folder / RUN_FILE).exists():
                self._check()
            else:
                self._check_nothing_is_there()
            self._sweep_up()
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

    def _check_nothing_is_there(self) -> None:
        found = [path.name for path in (self.path / SERIES_FILE, *self._files()) if path.exists()]
        if found:
            raise ResultError(
                f"{self.path} holds {found[0]} and no {RUN_FILE}, which would say of which run it is",
                "choose another folder, or add --restart to replace what is there",
            )

    def _clear(self) -> None:
        for name in (SERIES_FILE, PARAMETERS_FILE, FIGURE_FILE):
            (self.path / name).unlink(missing_ok=True)
        if self._batches.is_dir():
            shutil.rmtree(self._batches)
        (self.path / RUN_FILE).unlink(missing_ok=True)

    def _sweep_up(self) -> None:
        """Remove what a killed process had no time to: files half written, and batches already put together."""
        for name in (RUN_FILE, SERIES_FILE, PARAMETERS_FILE):
            for leftover in self.path.glob(temporary_pattern(name)):
                leftover.unlink(missing_ok=True)
        for leftover in self._batches.glob(temporary_pattern("*.npz")):
            leftover.unlink(missing_ok=True)
        if self.complete and self._batches.is_dir():
            shutil.rmtree(self._batches)

    @property
    def complete(self) -> bool:
        """Whether all batches are there and put together."""
        return is_complete(self.path)

    def begin(self, info: SeriesInfo, provenance: Mapping[str, Any], result_bytes: int) -> None:
        """Write what the run is and its parameters; raises ResultError when the disk is too small."""
        free = shutil.disk_usage(self.path).free
        if 2 * result_bytes > free:
            raise ResultError(
                f"the time series take {bytes_text(result_bytes)}, twice that while they are put together;"
                f" {bytes_text(free)} are free in {self.path}",
                "observe fewer exposures, or use a longer period",
            )
        try:
            write_json(self.path / RUN_FILE, {**provenance, "fingerprint": self._fingerprint, "complete": False})
            write_parameters(self.path / PARAMETERS_FILE, info)
            self._batches.mkdir(exist_ok=True)
        except OSError as error:
            raise ResultError(f"results cannot be written to {self.path}: {error.strerror}") from error

    def finished(self, n_instances: int) -> AnyArray:
        """Which instances are already there, as booleans."""
        done = np.zeros(n_instances, dtype=bool)
        for path in self._files():
            (instances,) = self._load(path, "instances")
            done[instances] = True
        return done

    def keep(self, batch: BatchResult) -> None:
        """Write a finished batch; when this returns, it survives a crash."""
        path = self._batches / f"{int(batch.instances[0]):010d}.npz"
        try:
            with replacing(path) as temporary, temporary.open("wb") as stream:
                assert batch.series is not None
                arrays = {"instances": batch.instances, "series": batch.series, "diverged_at": batch.diverged_at}
                np.savez(stream, allow_pickle=False, **{STAMP: np.array(self._stamp)}, **arrays)
        except OSError as error:
            raise ResultError(f"{path} cannot be written: {error.strerror}", "finished batches are kept") from error

    def finish(self, info: SeriesInfo, dtype: np.dtype[Any], provenance: Mapping[str, Any]) -> None:
        """Put all batches together into one file, then delete them."""
        try:
            diverged_at = write_netcdf(self.path / SERIES_FILE, info, dtype, self._blocks())
            write_parameters(self.path / PARAMETERS_FILE, info, diverged_at)
            record = {**provenance, "diverged": int((diverged_at >= 0).sum()), "fingerprint": self._fingerprint}
            write_json(self.path / RUN_FILE, {**record, "complete": True})
            shutil.rmtree(self._batches)
        except OSError as error:
            raise ResultError(
                f"results cannot be written to {self.path}: {error}", "finished batches are kept"
            ) from error

    def _files(self) -> list[Path]:
        return sorted(self._batches.glob("*.npz"))

    def _blocks(self) -> Iterator[Block]:
        for path in self._files():
            instances, series, diverged_at = self._load(path, "instances", "series", "diverged_at")
            yield instances, series, diverged_at

    def _load(self, path: Path, *names: str) -> list[AnyArray]:
        """Arrays of a batch; raises ResultError if it is damaged or of another run."""
        try:
            with np.load(path, allow_pickle=False) as file:
                stamp = str(file[STAMP]) if STAMP in file.files else ""
                arrays: list[AnyArray] = [file[name] for name in names]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ResultError(f"{path} is damaged", "delete it and run the same command again") from error
        if stamp != self._stamp:
            raise ResultError(f"{path} is a batch of another run", "add --restart to replace what is there")
        return arrays
