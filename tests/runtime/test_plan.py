from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratemlx.abi import Manifest
from ratemlx.errors import DeviceError, SweepError
from ratemlx.runtime import Connectome, load_connectome
from ratemlx.runtime.arrays import bytes_text, seconds_text
from ratemlx.runtime.edges import Edges, edges
from ratemlx.runtime.plan import Limits, Plan, block_size, check_result_fits, make_plan, ring_length
from ratemlx.runtime.timing import Timing, timing

GIB = 2**30
LIMITS = Limits(lanes=16, workers=2, free_bytes=8 * GIB, rate=1e7)


@pytest.fixture(scope="module")
def brain() -> Edges:
    return edges(load_connectome("tvb:68"))


def plan(manifest: Manifest, found: Edges, speeds: list[float], limits: Limits = LIMITS, **other: object) -> Plan:
    times = other.pop("timing", Timing(0.1, 10, 1000))
    return make_plan(
        manifest,
        found,
        times,  # type: ignore[arg-type]
        np.array(speeds, dtype=float),
        precision="float32",
        n_observed=2,
        limits=limits,
        **other,  # type: ignore[arg-type]
    )


def test_blocks_and_rings() -> None:
    assert [block_size(delay) for delay in (0, 1, 2, 3, 6, 7, 14, 15, 500)] == [1, 2, 2, 4, 4, 8, 8, 16, 16]
    for longest in range(100):
        for block in (1, 2, 4, 8, 16):
            rows = ring_length(longest, block)
            assert rows % block == 0
            assert longest + block < rows <= longest + 2 * block


def test_instances_are_grouped_by_speed(manifest: Manifest, brain: Edges) -> None:
    found = plan(manifest, brain, [3, 7, 3, 1, 7])
    assert [group.speed for group in found.groups] == [1, 3, 7]
    assert [group.instances.tolist() for group in found.groups] == [[3], [0, 2], [1, 4]]
    assert [(group.delays.min(), group.delays.max()) for group in found.groups] == [(80, 2529), (27, 843), (11, 361)]
    assert [(group.block, group.ring_rows) for group in found.groups] == [(16, 2560), (16, 864), (8, 376)]
    assert found.n_instances == 5
    assert found.node_steps == 3 * 16 * 68 * 10_000


def test_without_delays_all_speeds_are_one_group(manifest: Manifest, brain: Edges) -> None:
    found = plan(replace(manifest, uses_delays=False), brain, [3, 7])
    assert [(group.block, group.ring_rows, len(group.instances)) for group in found.groups] == [(1, 2, 2)]
    uncoupled = plan(replace(manifest, uses_delays=False, channels=0), brain, [3])
    assert uncoupled.groups[0].block == 16


def test_a_network_without_tracts_has_full_blocks(manifest: Manifest) -> None:
    found = plan(manifest, edges(Connectome(np.zeros((3, 3)), np.ones((3, 3)))), [3])
    assert (found.groups[0].block, found.groups[0].ring_rows) == (16, 32)


def test_batches_follow_memory_time_and_wish(manifest: Manifest, brain: Edges) -> None:
    speeds = [3.0] * 1000
    timely = plan(manifest, brain, speeds)
    # 20 s at 1e7 node-steps/s are 18 tiles of 16 instances, and 18 is a multiple of 2 workers.
    assert [len(batch.instances) for batch in timely.batches] == [288, 288, 288, 136]
    per_instance = ((864 + 16) + 2 + 2) * 68 * 4 + 3 * 4 + 12 + 2 * 68 * 1000 * 4
    assert timely.batch_bytes >= 288 * per_instance
    assert timely.result_bytes == 1000 * 2 * 68 * 1000 * 4
    tight = plan(manifest, brain, speeds, replace(LIMITS, free_bytes=2 * 40 * 16 * 1024 * 1024 // 16))
    assert {len(batch.instances) for batch in tight.batches} == {48, 1000 % 48}
    chosen = plan(manifest, brain, speeds, replace(LIMITS, batch_size=7))
    assert len(chosen.batches) == 143
    np.testing.assert_array_equal(np.concatenate([batch.instances for batch in chosen.batches]), np.arange(1000))


def test_series_that_are_only_looked_at_gather_little(manifest: Manifest, brain: Edges) -> None:
    """Batches of a large sweep are no larger than those of a small one, and none leaves a worker idle."""
    roomy = replace(LIMITS, rate=1e9, series_bytes=100 * 2 * 68 * 1000 * 4)
    for count in (100, 1000):
        found = plan(manifest, brain, [3.0] * count, roomy)
        assert max(len(batch.instances) for batch in found.batches) == 96
    tiny = plan(manifest, brain, [3.0] * 1000, replace(roomy, series_bytes=1))
    assert {len(batch.instances) for batch in tiny.batches} == {32, 1000 % 32}
    none_gathered = plan(manifest, brain, [3.0] * 1000, roomy, keeps_series=False)
    assert len(none_gathered.batches) == 1


def test_pending_instances_only(manifest: Manifest, brain: Edges) -> None:
    found = plan(manifest, brain, [3.0, 4.0, 3.0], pending=np.array([1, 2]))
    assert [batch.instances.tolist() for batch in found.batches] == [[2], [1]]


def test_what_does_not_fit_is_told_in_bytes(manifest: Manifest, brain: Edges) -> None:
    with pytest.raises(SweepError) as caught:
        plan(manifest, brain, [1e-5])
    assert caught.value.message == (
        "16 instances at a conduction speed of 1e-05 mm/ms need 1.0 TiB (a history of 252,902,784 steps);"
        " 4.0 GiB may be used"
    )
    with pytest.raises(SweepError, match=r"at a conduction speed of 1e-12 mm/ms and dt = 0.1 ms the longest delay is"):
        plan(manifest, brain, [1e-12])
    with pytest.raises(SweepError, match=r"batches of 1,000,000 instances need more memory than there is"):
        plan(manifest, brain, [3.0], replace(LIMITS, batch_size=1_000_000))
    with pytest.raises(SweepError, match=r"a batch needs at least one instance; 0 were asked for"):
        plan(manifest, brain, [3.0], replace(LIMITS, batch_size=0))
    with pytest.raises(DeviceError, match=r"the time series take 518.8 MiB; 50.0 MiB of memory may be used"):
        check_result_fits(plan(manifest, brain, [3.0] * 1000), 100 * 2**20)


def test_timing() -> None:
    times = timing(0.1, 1.0, 2000.0)
    assert (times.steps_per_sample, times.n_samples, times.n_steps) == (10, 2000, 20_000)
    for arguments, expected in (
        ((0.3, 1.0, 10.0), "period (1 ms) must be a multiple of dt (0.3 ms)"),
        ((0.1, 3.0, 10.0), "duration (10 ms) must be a multiple of period (3 ms)"),
        ((0.0, 1.0, 10.0), "dt must be above zero; it is 0 ms"),
        ((0.1, 1.0, float("inf")), "duration must be above zero; it is inf ms"),
        ((1e-320, 1.0, 10.0), "period (1 ms) is more than 2,147,483,584 times dt (9.99989e-321 ms)"),
        ((0.1, 1.0, 1e308), "duration (1e+308 ms) is more than 2,147,483,584 times period (1 ms)"),
        ((1e-6, 1.0, 1e6), "the run has 1,000,000,000,000 steps, more than the 2,147,483,584 supported"),
    ):
        with pytest.raises(SweepError) as caught:
            timing(*arguments)
        assert caught.value.message == expected
    with pytest.raises(SweepError) as caught:
        timing(0.1, 3.0, 10.0)
    assert caught.value.hint == "the nearest is 9 ms"


def test_numbers_for_people() -> None:
    assert [bytes_text(count) for count in (0, 1023, 1536, 3 * 2**30)] == [
        "0 bytes",
        "1023 bytes",
        "1.5 KiB",
        "3.0 GiB",
    ]
    assert [seconds_text(value) for value in (0.2, 59.2, 75, 7300, 400_000)] == [
        "under 1 s",
        "59 s",
        "1 min 15 s",
        "2 h 1 min",
        "4.6 days",
    ]


def test_small_batches_run_side_by_side(manifest: Manifest, brain: Edges) -> None:
    speeds = [1.0, 2.0, 3.0, 4.0, 5.0] + [6.0] * 33
    found = plan(manifest, brain, speeds, replace(LIMITS, workers=3))
    assert [[batch.group.speed for batch in wave] for wave in found.waves] == [[1, 2, 3], [4, 5], [6]]
    sizes = [sum(batch.memory for batch in wave) for wave in found.waves]
    assert found.batch_bytes == max(sizes)
    tight = plan(manifest, brain, speeds, replace(LIMITS, workers=3, free_bytes=4 * sizes[0] // 3))
    assert [len(wave) for wave in tight.waves] == [1, 2, 2, 1]


def test_a_device_may_give_more_of_its_memory_and_keep_results_elsewhere(manifest: Manifest, brain: Edges) -> None:
    host = plan(manifest, brain, [3] * 40_000)
    device = plan(manifest, brain, [3] * 40_000, replace(LIMITS, share=0.9, holds_results=False))
    assert host.batch_bytes <= 0.5 * LIMITS.free_bytes
    assert device.batch_bytes <= 0.9 * LIMITS.free_bytes
    results = 2 * 68 * 4 * 1000
    per_instance = [item.batches[0].memory / len(item.batches[0].instances) for item in (host, device)]
    assert per_instance[0] - per_instance[1] >= results - 3 * 68 * 2 * 4
