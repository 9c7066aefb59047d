"""Names of the files in a run's folder that the store writes. Knows names only."""

from __future__ import annotations

RUN_FILE = "run.json"
DATABASE_FILE = "results.sqlite"
SHARDS = "shards"
DAMAGED = "damaged"
POINTS = "points"
