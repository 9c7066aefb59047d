"""A prediction in words, for `ratemlx plan --gpu` and `--cluster`."""

from __future__ import annotations

from ratemlx.cluster.hardware import Cluster
from ratemlx.cluster.prediction import USABLE_SHARE, WARPS_TO_FILL, Prediction
from ratemlx.runtime.arrays import bytes_text, seconds_text


def describe_prediction(found: Prediction, cluster: Cluster | None = None) -> list[str]:
    """What fits, what it takes, and where the figures come from, in lines."""
    lines = [_hardware(found), *_memory(found), _work(found), *_time(found)]
    if cluster is not None:
        lines = [_ranks(found, cluster), *lines, *_files(found)]
    return lines


def _hardware(found: Prediction) -> str:
    gpu = found.gpu
    return (
        f"{gpu.name}: {gpu.memory / 1e9:g} GB, {gpu.peak('float32') / 1e12:.1f} TFLOP/s float32,"
        f" {gpu.peak('float64') / 1e12:.2g} float64, {gpu.bandwidth / 1e9:,.0f} GB/s ({gpu.source})"
    )


def _memory(found: Prediction) -> list[str]:
    many = len(found.fitting) > 1
    lines = [f"memory per instance {bytes_text(found.bytes_per_instance)}, with its part of the samples that wait"]
    speeds = sorted(found.fitting)
    for speed in {speeds[0]: None, speeds[-1]: None}:
        where = f" at {speed:g} mm/ms" if many else ""
        lines.append(f"instances that fit{where}: {found.fitting[speed]:,} ({USABLE_SHARE:.0%} of the memory is used)")
    return lines


def _work(found: Prediction) -> str:
    batches = found.plan.batches
    largest = max(len(batch.instances) for batch in batches)
    share = found.plan.n_instances
    of = f" of {found.n_instances:,}" if found.ranks > 1 else ""
    word = "batch" if len(batches) == 1 else "batches"
    return f"{share:,}{of} instances on a GPU: {len(batches):,} {word} of up to {largest:,}"


def _time(found: Prediction) -> list[str]:
    line = found.roofline
    return [
        f"a node-step is {line.operations:,.0f} operations and {line.bytes:,.0f} bytes: at most"
        f" {line.by_arithmetic:.2g} node-steps/s by arithmetic, {line.by_memory:.2g} by memory",
        f"time {seconds_text(found.seconds)}: estimated, not measured, at {found.efficiency:.0%} of the lower,"
        f" {found.rate:.2g} node-steps/s; less where fewer than {WARPS_TO_FILL} warps fill a multiprocessor",
    ]


def _ranks(found: Prediction, cluster: Cluster) -> str:
    return (
        f"{cluster.name}: {cluster.nodes} nodes x {cluster.gpus_per_node} GPUs, {found.ranks:,} ranks"
        f" ({cluster.source})"
    )


def _files(found: Prediction) -> list[str]:
    columns, plan = found.columns, found.plan
    row = columns.row_bytes(found.n_instances)
    of_regions = f", {columns.regional} metrics of {columns.regions} regions" if columns.regional else ""
    lines = [
        f"{found.shards:,} shards, one per batch",
        f"database {bytes_text(found.database_bytes)}: {found.n_instances:,} instances of {row:,.0f} bytes"
        f" ({columns.parameters} parameters, {columns.metrics} metrics{of_regions}; matrices of the best come on top)",
    ]
    if found.keeps_series:
        series = plan.result_bytes / plan.n_instances * found.n_instances
        lines.append(f"time series {bytes_text(series)}; with --metrics none are kept")
    return lines
