"""What a run writes is known before it begins, by kind, and refused where it cannot fit."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from ratemlx.errors import ResultError
from ratemlx.runtime import Connectome, RunSpec, disk, plan_run, run
from ratemlx.runtime.outputs import make_fitness, make_outputs
from ratemlx.runtime.progress import Progress

Usage = namedtuple("Usage", "total used free")


class Written(Progress):
    """Keeps what is said of the disk."""

    def announce(self, lines: object) -> None:
        self.lines = [line for line in lines if line.startswith("to be written: ")]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def spec(linear: Path, small: Connectome) -> RunSpec:
    return RunSpec(
        folder=linear, connectome=small, sweep={"drive": (0.1, 0.4, 40)}, duration=1600.0, dt=0.5, batch_size=4
    )


BEST = {"fitness": make_fitness(terms="FC_SC"), "metrics": "table2"}
KEPT = {
    "series": ({}, ["time series", "metrics and parameters"]),
    "metrics": ({"metrics": "table2"}, ["metrics and parameters"]),
    "fc": ({"keep_fc": True}, ["matrices of all instances", "metrics and parameters"]),
    "best": ({**BEST, "keep": "best:3"}, ["arrays of the best", "metrics and parameters"]),
    "bold": (
        {**BEST, "bold": 50.0, "keep": "all", "keep_fc": True},
        ["time series", "matrices of all instances", "metrics and parameters"],
    ),
}


@pytest.mark.parametrize("kept", KEPT)
def test_no_more_is_written_than_was_said(
    spec: RunSpec, tmp_path: Path, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, kinds = KEPT[kept]
    told: list[disk.Written] = []
    checked = disk.check_disk

    def check(written: disk.Written, folder: Path) -> None:
        told.append(written)
        checked(written, folder)

    monkeypatch.setattr("ratemlx.runtime.run_folder.check_disk", check)
    progress = Written()
    run(replace(spec, output=tmp_path, outputs=make_outputs(**options), figure=False), progress)  # type: ignore[arg-type]
    (written,) = told
    assert [kind for kind, count in written.kinds.items() if count] == kinds
    assert progress.lines[0].startswith(f"to be written: at most {written}; ")
    files = {path.name: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    records = sum(size for name, size in files.items() if name in ("run.json", "references.npz"))
    empty = 60 * 1024  # of the database: a page for every table and index, and provenance
    there = sum(files.values()) - records - empty - 3_000 * sum(name.endswith(".npz") for name in files)
    assert there <= written.total
    # Series are there twice for a while: at the end, only once.
    assert written.total < 3.0 * (sum(files.values()) - records)


def test_what_cannot_fit_is_refused_with_what_takes_most(
    spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, kind, hint in (
        ({}, "time series 4.9 MiB", "keep fewer series"),
        ({"keep_fc": True}, "matrices of all instances", "leave out --keep-fc"),
        ({**BEST, "keep": "best"}, "arrays of the best", "keep fewer .--keep best:N"),
        ({"metrics": "table2"}, "metrics and parameters", "choose fewer metrics"),
    ):
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage(0, 0, 10_000))  # type: ignore[attr-defined]
        wanted = replace(spec, output=tmp_path / kind, outputs=make_outputs(**options))  # type: ignore[arg-type]
        with pytest.raises(ResultError) as caught:
            run(wanted)
        assert kind in caught.value.message
        assert caught.value.message.endswith(f"9.8 KiB are free in {tmp_path / kind}")
        assert caught.value.hint is not None
        assert hint.replace(".", "(", 1 if "best:N" in hint else 0) in caught.value.hint
        assert not list((tmp_path / kind / "shards").glob("*.npz"))
        monkeypatch.undo()


def test_a_plan_says_it_too(spec: RunSpec, tmp_path: Path) -> None:
    wanted = replace(spec, output=tmp_path / "not" / "there")
    assert any(line.startswith("to be written: at most 4.9 MiB (time series 4.9 MiB") for line in plan_run(wanted))
    assert not (tmp_path / "not").exists()
    assert not any("written" in line for line in plan_run(spec))
