"""Shards: what is written comes back; what was altered is recognised without being trusted."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemlx.errors import ResultError
from ratemlx.store.shards import DamagedShardError, StoredArray, read_shard, scan, write_shard
from tests.store.runs import shard

INSTANCES = np.array([5, 3, 12])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "shards").mkdir()
    return tmp_path


def test_a_shard_comes_back(run: Path) -> None:
    written = replace(shard(INSTANCES, series=True), rank=11)
    path = write_shard(run, "stamp", written)
    assert path.name.startswith("000000000003-11-")
    found = read_shard(path, "stamp")
    assert found.rank == 11
    for name in ("instances", "diverged_at", "columns", "regional", "series"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
        assert getattr(found, name).dtype == getattr(written, name).dtype
    assert (found.column_names, found.regional_names) == (written.column_names, written.regional_names)
    assert [item.values.tolist() for item in found.arrays] == [item.values.tolist() for item in written.arrays]
    assert found.arrays[0].shape == "3x3/2"
    assert read_shard(path, "stamp", series=False).series is None


def test_arrays_of_any_type_and_byte_order(run: Path) -> None:
    values = [np.arange(3, dtype=">f8"), np.zeros(0, np.float32), np.array([[1, 2], [3, 4]], np.int16).T]
    arrays = tuple(StoredArray(3, "a", str(index), "any", item) for index, item in enumerate(values))
    found = read_shard(write_shard(run, "stamp", replace(shard(INSTANCES), arrays=arrays)), "stamp")
    for item, value in zip(found.arrays, values, strict=True):
        np.testing.assert_array_equal(item.values, value.reshape(-1))


def test_the_same_batch_has_the_same_name(run: Path) -> None:
    assert write_shard(run, "stamp", shard(INSTANCES)) == write_shard(run, "stamp", shard(INSTANCES))
    assert write_shard(run, "other", shard(INSTANCES)).name != write_shard(run, "stamp", shard(INSTANCES)).name


def test_any_altered_byte_is_noticed(run: Path) -> None:
    path = write_shard(run, "stamp", shard(INSTANCES))
    data = path.read_bytes()
    for position in range(0, len(data), 37):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        assert scan(run, "stamp").damaged == (path,)
    for length in range(0, len(data), 101):
        path.write_bytes(data[:length])
        with pytest.raises(DamagedShardError):
            read_shard(path, "stamp")
    path.write_bytes(data)
    assert scan(run, "stamp").shards[0].instances.tolist() == INSTANCES.tolist()


def test_shards_of_other_runs_are_refused_and_files_of_others_are_damage(run: Path) -> None:
    path = write_shard(run, "other", shard(INSTANCES))
    with pytest.raises(ResultError, match="is a batch of another run"):
        scan(run, "stamp")
    path.unlink()
    (run / "shards" / "mine.npz").write_bytes(b"text")
    assert [item.name for item in scan(run, "stamp").damaged] == ["mine.npz"]


def test_a_pickle_behind_a_right_checksum_is_not_loaded(run: Path) -> None:
    from ratemlx.store.files import checksum_of

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(run / "trapped"),)

    path = run / "shards" / "x.npz"
    np.savez(path, header=np.array([Trap()], dtype=object), instances=np.zeros(1))
    path = path.rename(run / "shards" / f"000000000000-0-{checksum_of(path)}.npz")
    with pytest.raises(ResultError, match="is not a shard, though its checksum is right"):
        scan(run, "stamp")
    assert not (run / "trapped").exists()


def test_arrays_of_other_lengths_are_a_bug() -> None:
    good = shard(INSTANCES)
    for wrong in (
        {"diverged_at": np.zeros(2, np.int32)},
        {"columns": np.zeros((3, 1))},
        {"regional": np.zeros((3, 3, 2))},
        {"series": np.zeros((2, 1, 1, 1))},
    ):
        with pytest.raises(ValueError, match="arrays of other lengths"):
            replace(good, **wrong)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written(run: Path) -> None:
    (run / "shards").rmdir()
    with pytest.raises(ResultError, match=r"results cannot be written to .*shards: No such file"):
        write_shard(run, "stamp", shard(INSTANCES))
