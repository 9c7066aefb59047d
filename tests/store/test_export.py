"""Results in other programs' files, and as labelled arrays."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ratemlx.cli import main
from ratemlx.errors import ResultError
from ratemlx.store.export import export
from ratemlx.store.gridded import results_table
from ratemlx.store.matrices import full, symmetric, unpacked
from ratemlx.store.points import Points
from ratemlx.store.query import ask
from tests.store.runs import compute, grid, open_store


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of 3 x 4, enlarged to 5 x 4, and three points of which one is new."""
    folder = tmp_path_factory.mktemp("run")
    for points in (grid(3, 4), grid(5, 4), Points("table", {"b_e": np.array([40.0, 7.0, 0.0]), "g": np.zeros(3)}, {})):
        store = open_store(folder, points)
        compute(store)
        store.finish()
    return folder


def test_the_grid(run: Path) -> None:
    found = results_table(run, sweep=1)
    assert dict(found.sizes) == {"g": 5, "b_e": 4, "region": 3}
    assert found["instance"].values.tolist()[0] == [0, 1, 2, 3]
    assert found["instance"].values.tolist()[1] == [16, 17, 18, 19]
    assert found["diverged_at"].sel(g=0.5, b_e=80).item() == 1006
    assert np.isnan(found["mean_FC_E"].sel(g=0.5, b_e=80).item())
    assert found["mean_FC_E"].sel(g=0.25, b_e=120).item() == 1.9
    assert found["b_e"].attrs == {"units": "pA", "description": "adaptation"}
    assert found["mean_rate_E"].attrs["units"] == "Hz"
    assert found.attrs["model"] == "adex"
    values = found["mean_rate_E"].isel(region=2) - found["instance"]
    np.testing.assert_allclose(values, 0.2, atol=1e-12)


def test_points(run: Path) -> None:
    found = results_table(run, columns=["fitness"])
    assert found["fitness"].dims == ("point",)
    assert found["instance"].values.tolist() == [1, 33, 0]
    assert found["b_e"].values.tolist() == [40.0, 7.0, 0.0]
    assert "mean_FC_E" not in found


def test_conditions_leave_gaps(run: Path) -> None:
    found = results_table(run, sweep=0, where="b_e > 100")
    assert found["instance"].values.tolist() == [[-1, -1, -1, 3], [-1, -1, -1, 7], [-1, -1, -1, 11]]
    assert np.isnan(found["mean_FC_E"].values[:, :3]).all()
    assert found["mean_rate_E"].values[1, 3].tolist() == [7.0, 7.1, 7.2]
    nothing = results_table(run, sweep=0, where="0")
    assert np.isnan(nothing["mean_rate_E"].values).all()


def test_a_run_that_goes_on_has_gaps(tmp_path: Path) -> None:
    store = open_store(tmp_path, Points("grid", {"g": np.array([0.0, 1.0, 2.0])}, {"b_e": 5.0}))
    found = results_table(tmp_path)
    assert found["instance"].values.tolist() == [-1, -1, -1]
    compute(store, 2)
    (tmp_path / "shards").rename(tmp_path / "elsewhere")
    found = results_table(tmp_path)
    assert found["instance"].values.tolist() == [0, 1, 2]
    assert found["b_e"].item() == 5.0


def test_what_is_not_there(run: Path) -> None:
    with pytest.raises(ResultError, match="no sweep 3"):
        results_table(run, sweep=3)
    with pytest.raises(ResultError, match="no metric 'fitnes'"):
        results_table(run, columns=["fitnes"])
    with pytest.raises(ResultError, match="there is no column gg"):
        results_table(run, where="gg = 1")


def test_csv(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "all.csv", where="status = 'ok' AND g >= 0.5 OR 0")
    with (tmp_path / "all.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    expected = ask(run, "SELECT instance, g, fitness FROM instances WHERE status = 'ok' AND g >= 0.5 ORDER BY instance")
    assert [(int(row["instance"]), float(row["g"]), float(row["fitness"])) for row in rows] == expected
    export(run, tmp_path / "regions.csv", table="regional", where="g = 0.5", sweep=0)
    assert len((tmp_path / "regions.csv").read_text().splitlines()) == 1 + 4 * 3


def test_parquet(run: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    export(run, tmp_path / "all.parquet")
    table = parquet.read_table(tmp_path / "all.parquet")
    assert [tuple(row.values()) for row in table.to_pylist()] == ask(run, "SELECT * FROM instances")
    assert table.schema.field("b_e").metadata == {b"unit": b"pA", b"description": b"adaptation"}
    export(run, tmp_path / "none.parquet", where="0")
    assert parquet.read_table(tmp_path / "none.parquet").num_rows == 0


def test_parquet_without_pyarrow(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ResultError, match="Parquet files need pyarrow"):
        export(run, tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_netcdf(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "grid.nc", sweep=1)
    with xr.open_dataset(tmp_path / "grid.nc", engine="h5netcdf") as found:
        xr.testing.assert_identical(found.load(), results_table(run, sweep=1))


@pytest.mark.parametrize(
    ("file", "more", "message"),
    [
        ("x.txt", [], "x.txt does not say which kind of file it is"),
        ("x.csv", ["--where", "nope = 1"], "there is no column nope"),
        ("x.csv", ["--where", "1) UNION SELECT (1"], "the query"),
        ("x.csv", ["--table", "instance"], "did you mean instances"),
        ("x.nc", ["--table", "regional"], "leave --table out"),
        ("x.csv", ["--sweep", "9"], "no sweep 9"),
        ("absent/x.csv", [], "is not a folder"),
    ],
)
def test_mistakes_leave_nothing(
    run: Path, tmp_path: Path, file: str, more: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), str(tmp_path / file), *more]) == 2
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), str(tmp_path / "x.csv"), "--where", "g = 0"]) == 0
    assert capfd.readouterr().out == f"written: {tmp_path / 'x.csv'}\n"
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1 + 5


def test_matrices_come_back() -> None:
    matrix = np.array([[1, 0.5, 0.25], [0.5, 1, 0.125], [0.25, 0.125, 1]], dtype=np.float32)
    item = symmetric(3, "FC", "E", matrix)
    assert (item.shape, item.values.tolist()) == ("3x3/2", [1, 0.5, 0.25, 1, 0.125, 1])
    np.testing.assert_array_equal(unpacked(item.shape, "float32", item.values.tobytes()), matrix)
    series = full(3, "series", "E", np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(unpacked(series.shape, "float64", series.values.tobytes())[1], [3, 4, 5])
    for shape, dtype in (
        ("4x4/2", "float32"),
        ("3x2/2", "float32"),
        ("x", "float32"),
        ("900000x900000", "float32"),
        ("2x3", "object"),
        ("2x3", "no"),
    ):
        with pytest.raises(ResultError, match="the database holds"):
            unpacked(shape, dtype, item.values.tobytes())
