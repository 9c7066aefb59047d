"""Plain tables: aligned, wrapped, without trailing blanks."""

from __future__ import annotations

from ratemlx.cli.tables import CELL_WIDTH, plain_table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert plain_table(("model", "n"), [("adex", "8"), ("kuramoto", "1")]) == (
        "model     n\n"  #
        "adex      8\n"
        "kuramoto  1"
    )


def test_long_cells_go_on_below() -> None:
    words = " ".join(["region"] * 10)
    first, second = plain_table(("a",), [(words,)]).splitlines()[1:]
    assert f"{first} {second}" == words
    assert len(first) <= CELL_WIDTH
