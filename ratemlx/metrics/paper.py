"""Where the metrics of the parameter exploration of van der Vlag et al. come from."""

from __future__ import annotations

PAPER = "van der Vlag et al. 2023, Vast TVB parameter space exploration, Table 2"
TABLE_2 = ("table2",)
"""Groups of a metric of that table."""
