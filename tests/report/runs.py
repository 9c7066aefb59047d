"""Databases of runs as the contract has them, with numbers that a test can foretell."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratemlx.store.schema import APPLICATION

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
REGIONS = ("l_hip", "l_amy", "l_cun", "l_ins", "r_hip", "r_amy", "r_cun", "r_ins")
METRICS = (
    ("fitness", "", "", "correlation of FC with the reference"),
    ("mean_FC_E", "1", "E", "mean of the FC matrix, its diagonal as zero"),
    ("mean_rate_E", "Hz", "E", "mean firing rate"),
    ("mean_rate_I", "Hz", "I", "mean firing rate"),
    ("psd_fmax_amp_E", "Hz", "E", "frequency of the highest peak"),
    ("skew_E", "", "E", "a metric of both signs"),
)


@dataclass(frozen=True)
class Recipe:
    """What a database holds: values of the axes, seeds, and names that may be hostile."""

    g: Sequence[float] = (0.0, 0.2, 0.4, 0.6, 0.8)
    b_e: Sequence[float] = (0.0, 40.0, 80.0, 120.0)
    tau: Sequence[float] = (300.0, 500.0, 700.0)
    speed: Sequence[float] = (2.0, 4.0)
    seeds: Sequence[int] = (42,)
    model: str = "adex"
    region: str = REGIONS[0]
    samples: int = 900
    arrays: bool = True


def metrics_of(g: float, b_e: float, tau: float, speed: float, seed: int) -> tuple[float | None, ...]:
    """The metrics of one point, smooth in the parameters; the last but one is undefined where b_e is 0."""
    rate = 2.0 + 30.0 * g**2 / (1 + b_e / 60) + 0.01 * seed + speed
    fitness = float(np.exp(-8 * (g - 0.4) ** 2 - ((b_e - 80) / 90) ** 2) * (1 - abs(tau - 500) / 1000)) - 0.02 * speed
    return (fitness, 0.1 + 0.5 * g, rate, 2.5 * rate, None if b_e == 0 else 1 + b_e / 40, g - 0.4 + b_e / 1000)


def is_diverged(g: float, b_e: float, tau: float) -> bool:
    return g == 0.8 and b_e == 0.0 and tau != 500.0


def write_database(folder: Path, recipe: Recipe = Recipe()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        _schema(database)
        _describe(database, recipe)
        points = itertools.product(recipe.g, recipe.b_e, recipe.tau, recipe.speed, recipe.seeds)
        best: list[tuple[float, int]] = []
        for instance, point in enumerate(points):
            gone = is_diverged(*point[:3])
            values: tuple[float | None, ...] = (None,) * len(METRICS) if gone else metrics_of(*point)
            row = (instance, *point[:4], 50.0, point[4], "diverged" if gone else "ok", 1234 if gone else None, *values)
            database.execute(f"INSERT INTO instances VALUES ({', '.join('?' * len(row))})", row)
            if values[0] is not None:
                best.append((values[0], instance))
        if recipe.arrays:
            np.savez(folder / "references.npz", **{"FC.E": connectivity(-1), "weights": np.abs(connectivity(-2))})
            _arrays(database, [instance for _, instance in sorted(best, reverse=True)[:10]], recipe)
    return path


def _schema(database: sqlite3.Connection) -> None:
    metrics = ", ".join(f"{name} REAL" for name, *_ in METRICS)
    database.executescript(
        f"""
        CREATE TABLE provenance (name TEXT PRIMARY KEY, value TEXT);
        CREATE TABLE sweeps (sweep INTEGER PRIMARY KEY, first_instance INTEGER, n_instances INTEGER, kind TEXT,
                             axes TEXT, command TEXT, date TEXT);
        CREATE TABLE parameters (name TEXT PRIMARY KEY, position INTEGER, column_name TEXT, unit TEXT,
                                 description TEXT, default_value REAL, swept INTEGER);
        CREATE TABLE metrics (column_name TEXT PRIMARY KEY, metric TEXT, exposure TEXT, unit TEXT, description TEXT,
                              regional INTEGER) WITHOUT ROWID;
        CREATE TABLE regions (region INTEGER PRIMARY KEY, label TEXT);
        CREATE TABLE instances (instance INTEGER PRIMARY KEY, global_coupling REAL, b_e REAL, tau_w_e REAL,
                                conduction_speed REAL, a_e REAL, seed INTEGER, status TEXT, diverged_at INTEGER,
                                {metrics});
        CREATE TABLE arrays (instance INTEGER, name TEXT, exposure TEXT, shape TEXT, dtype TEXT, data BLOB,
                             PRIMARY KEY (instance, name, exposure)) WITHOUT ROWID;
        """
    )


def _describe(database: sqlite3.Connection, recipe: Recipe) -> None:
    record: dict[str, Any] = {
        "model": recipe.model,
        "description": f"A model for tests. {recipe.model}",
        "connectome": "tvb:68",
        "duration": 900.0,
        "period": 1.0,
        "dt": 0.1,
        "seed": 42,
        "noise": True,
        "exposures": {"E": "kHz", "I": "kHz"},
        "warnings": [f"region {recipe.region} has no tract"],
        "fingerprint": {"model": recipe.model},
    }
    database.executemany("INSERT INTO provenance VALUES (?, ?)", [(k, json.dumps(v)) for k, v in record.items()])
    axes = {"global_coupling": recipe.g, "b_e": recipe.b_e, "tau_w_e": recipe.tau, "conduction_speed": recipe.speed}
    count = int(np.prod([len(values) for values in (*axes.values(), recipe.seeds)]))
    texts = json.dumps({name: list(values) for name, values in axes.items()})
    database.execute("INSERT INTO sweeps VALUES (1, 0, ?, 'grid', ?, 'ratemlx run', '2026-01-01')", (count, texts))
    rows = [
        ("global_coupling", 0, "global_coupling", "1", "long-range coupling", 0.4, 1),
        ("b_e", 1, "b_e", "pA", f"adaptation {recipe.region}", 60.0, 1),
        ("tau_w_e", 2, "tau_w_e", "ms", "time constant", 500.0, 1),
        ("conduction_speed", 3, "conduction_speed", "mm/ms", "speed", 3.0, 1),
        ("a_e", 4, "a_e", "nS", "subthreshold adaptation", 0.0, 0),
    ]
    database.executemany("INSERT INTO parameters VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    metrics = [(name, name, exposure, unit, text, 0) for name, unit, exposure, text in METRICS]
    database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", metrics)
    labels = list(enumerate((recipe.region, *REGIONS[1:])))
    database.executemany("INSERT INTO regions VALUES (?, ?)", labels)


def connectivity(instance: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A correlation matrix that depends on the instance; that of -1 is the reference."""
    generator = np.random.default_rng(instance + 10)
    common = np.random.default_rng(1).standard_normal((len(REGIONS), 4))
    return np.corrcoef(np.hstack([common, 0.8 * generator.standard_normal((len(REGIONS), 6))])).astype(np.float32)


def _arrays(database: sqlite3.Connection, best: Sequence[int], recipe: Recipe) -> None:
    size = len(REGIONS)
    upper = np.triu_indices(size)
    times = np.arange(recipe.samples)
    rows: list[tuple[Any, ...]] = []
    for instance in best:
        matrix = connectivity(instance)[upper].tobytes()
        rows.append((instance, "FC", "E", f"{size}x{size}/2", "float32", matrix))
        for place, exposure in enumerate(("E", "I")):
            waves = 0.01 * (1 + np.sin(times[:, None] / 40 + np.arange(size) / 3 + instance + place)).astype(np.float32)
            shape = f"{recipe.samples}x{size}"
            rows.append((instance, "series", exposure, shape, "float32", waves.tobytes()))
    database.executemany("INSERT INTO arrays VALUES (?, ?, ?, ?, ?, ?)", rows)


def write_series(folder: Path) -> Path:
    """A folder as runs wrote them before there were databases: rates that rise with g, one instance diverged."""
    import h5netcdf
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    g, b_e = np.repeat([0.2, 0.4, 0.6], 2), np.tile([0.0, 60.0], 3)
    times = np.arange(800) + 0.5
    values = 0.01 * g[:, None, None, None] * (1 + 0.5 * np.sin(times / 20))[None, None, :, None]
    values = (values * np.array([1.0, 2.0])[None, :, None, None] + np.zeros((6, 2, 800, 4))).astype(np.float32)
    values[5, :, 400:] = np.nan
    path = folder / "time_series.nc"
    with h5netcdf.File(path, "w") as file:
        file.attrs.update({"model": "adex", "parameters": "global_coupling b_e", "swept": "global_coupling b_e"})
        file.dimensions = dict(zip(("instance", "exposure", "time", "region"), values.shape, strict=True))
        text = h5py.string_dtype()
        for name, kind, labels in (
            ("exposure", text, ["E", "I"]),
            ("exposure_unit", text, ["kHz", "kHz"]),
            ("region", text, list(REGIONS[:4])),
            ("time", np.dtype(float), times),
            ("instance", np.dtype(np.int64), np.arange(6)),
            ("diverged_at", np.dtype(np.int32), np.array([-1] * 5 + [4001])),
            ("global_coupling", np.dtype(float), g),
            ("b_e", np.dtype(float), b_e),
        ):
            dimension = name if name in file.dimensions else "exposure" if name == "exposure_unit" else "instance"
            file.create_variable(name, (dimension,), kind)[...] = labels
        for name, unit in (("global_coupling", "1"), ("b_e", "pA")):
            file[name].attrs.update({"units": unit, "description": ""})
        file.create_variable("time_series", ("instance", "exposure", "time", "region"), np.float32)[...] = values
    record = {
        "model": "adex",
        "seed": 42,
        "duration": 800.0,
        "dt": 0.1,
        "complete": True,
        "fingerprint": {"model": "adex"},
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return path
