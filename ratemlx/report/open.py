"""Opens a folder of results for a report: its database where there is one, its time series where there are some."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratemlx.errors import ResultError
from ratemlx.report.database import open_database_run
from ratemlx.report.run import Run
from ratemlx.report.series import SERIES_FILE, open_series_run, read_series_file, with_series
from ratemlx.runtime.result import read_run_file
from ratemlx.store.layout import DATABASE_FILE


def open_run(folder: str | Path) -> Run:
    """What a report can know of the run in a folder; raises ResultError if there is none or it cannot be read."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise ResultError(f"there is no folder {path}", "give the folder that a run wrote with -o")
    has_series = (path / SERIES_FILE).is_file()
    if not (path / DATABASE_FILE).is_file():
        record = read_run_file(path)
        if not has_series:
            raise ResultError(f"the run in {path} is not finished", "run the same command again to go on with it")
        return open_series_run(path, record)
    run = open_database_run(path / DATABASE_FILE)
    if not has_series:
        return run
    file = read_series_file(path / SERIES_FILE)
    # A sweep that is being enlarged has the series of what was finished before.
    usable = len(file.instances) > 0 and bool(np.isin(file.instances, run.instances).all())
    return with_series(run, file) if usable else run
