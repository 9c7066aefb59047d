"""The page on metrics has the table and the definitions that the registry gives."""

from __future__ import annotations

from ratemlx.metrics import default_registry
from ratemlx.metrics.table import markdown
from tests.house.sources import CHECKOUT


def test_the_page_lists_all_metrics_as_they_are() -> None:
    page = (CHECKOUT / "docs" / "metrics.md").read_text(encoding="utf-8")
    listed = page.partition("<!-- metrics -->\n")[2].partition("\n<!-- end -->")[0]
    assert listed == markdown(default_registry().metrics.values())
