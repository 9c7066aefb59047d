"""Recordings made of given matrices, and small references on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ratemlx.metrics import Recording, Statistics

Array = NDArray[np.float64]
LABELS = ("r_a", "r_b", "r_c", "l_a", "l_b")


def some_fc(n_instances: int = 3, n_regions: int = 5, seed: int = 1) -> Array:
    """Correlations of noise, (instance, region, region)."""
    random = np.random.default_rng(seed)
    found = np.array([np.corrcoef(random.standard_normal((n_regions, 20))) for _ in range(n_instances)])
    return (found + found.transpose(0, 2, 1)) / 2  # to the last digit, for ties of ranks


def recorded(fc: Array, weights: Array | None = None) -> Recording:
    """A recording of which only connectivity was streamed."""
    ones = np.ones(fc.shape[:2])
    return Recording(None, 1.0, "kHz", weights=weights, statistics=Statistics(0.01 * ones, ones, 0 * ones, ones, fc))


def saved(folder: Path, name: str, content: object) -> Path:
    """A file by its ending: .npy, .npz (a mapping), .json, or text."""
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, content, allow_pickle=True)  # type: ignore[arg-type]
    elif path.suffix == ".npz":
        np.savez(path, **content)  # type: ignore[arg-type]
    elif path.suffix == ".json":
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        path.write_text(str(content), encoding="utf-8")
    return path
