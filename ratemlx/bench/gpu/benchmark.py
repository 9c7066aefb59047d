"""All GPU measurements of one machine, as plain data that go into a JSON file, and as a table to read."""

from __future__ import annotations

import datetime
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratemlx.bench.gpu.analysis import measure_analysis
from ratemlx.bench.gpu.measure import measure_work
from ratemlx.bench.gpu.peers import measure_cubnm, measure_paper_kernel
from ratemlx.bench.gpu.variants import DEFAULT, time_variant
from ratemlx.bench.gpu.works import WORKS, Work, job_of
from ratemlx.bench.paper_kernel import Toolchain
from ratemlx.cluster.hardware import Gpu, match_gpu
from ratemlx.errors import RatemlxError, ResultError
from ratemlx.runtime.cache import replacing
from ratemlx.runtime.devices import open_device
from ratemlx.runtime.devices.base import Device
from ratemlx.runtime.fingerprint import ratemlx_version

PARTS = ("works", "memory", "analysis", "paper", "cubnm")
WEIGHTS = {"works": 0.6, "memory": 0.02, "analysis": 0.05, "paper": 0.2, "cubnm": 0.13}
"""How the time is shared out among the parts."""
MEMORY_GOAL = 120_000
"""Instances of second-order AdEx at speed 3 that are to fit into 40 GB."""
FORTY_GB = 40e9

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What to measure: on which device, what parts, in how many seconds; `only` works of these keys.

    `instances` and `steps` make works smaller, for a dry run.

    `toolchain` compiles the paper's kernel, nvcc's by default. `gpu` is looked up by the device's name if None.
    """

    device: str = "cuda"
    parts: tuple[str, ...] = PARTS
    only: tuple[str, ...] | None = None
    seconds: float = 300.0
    instances: int | None = None
    steps: int | None = None
    gpu: Gpu | None = None
    toolchain: Toolchain | None = None

    @property
    def on_gpu(self) -> bool:
        """Whether figures are those of a GPU."""
        return self.device not in ("cpu", "cuda-emulation")

    def works(self) -> tuple[Work, ...]:
        """All works, shrunk if asked for."""
        return tuple(work.shrunk(self.instances or work.instances, self.steps or work.steps) for work in WORKS)

    def share(self, part: str) -> float:
        """Seconds of one part, of those that are measured."""
        return self.seconds * WEIGHTS[part] / sum(WEIGHTS[name] for name in self.parts)


def measure_gpu(settings: Settings, say: Say = lambda _: None) -> dict[str, Any]:
    """Measure; a part that cannot run leaves a note in its place. Raises DeviceError without the device."""
    started = time.perf_counter()
    device = open_device(settings.device)
    try:
        found = _environment(settings, device)
        gpu = settings.gpu or match_gpu(device.name)
        found["catalogue"] = gpu.key if gpu else None
        if "works" in settings.parts:
            found["works"] = _works(settings, device, gpu, say)
        if "memory" in settings.parts:
            found["memory"] = _memory(settings, device, say)
        if "analysis" in settings.parts:
            found["analysis"] = _analysis(settings, device, say)
        free = device.free_bytes()
    finally:
        device.close()
    if "paper" in settings.parts:
        found["paper_kernel"] = _paper(settings, gpu, free, say)
    if "cubnm" in settings.parts:
        say("cubnm")
        wong_wang = next(work for work in settings.works() if work.key == "wong_wang")
        found["cubnm"] = measure_cubnm(wong_wang, seconds=settings.share("cubnm"), on_gpu=settings.on_gpu)
    found["goals"] = goals(found) if settings.on_gpu else {}
    found["seconds"] = time.perf_counter() - started
    return found


def goals(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What was aimed at beside what was reached, of what was measured."""
    works = {work["key"]: work for work in found.get("works", []) if "node_steps_per_second" in work}
    rates = {key: work["node_steps_per_second"] for key, work in works.items()}
    aims: dict[str, tuple[float | None, float | None]] = {
        "adex: node-steps/s": (rates.get("adex"), 1e10),
        "adex, 64 instances: share of the full rate": (_ratio(rates.get("adex_64"), rates.get("adex")), 0.15),
        "adex: instances per 40 GB": (found.get("memory", {}).get("instances_per_40_gb"), MEMORY_GOAL),
        "adex: share of the roofline": (((works.get("adex") or {}).get("roofline") or {}).get("share"), 0.4),
        "adex over the paper's kernel, repaired": (_ratio(rates.get("adex"), _paper_rate(found, "repaired")), 20.0),
        "adex over the paper's kernel, as shipped": (_ratio(rates.get("adex"), _paper_rate(found, "as_shipped")), 20.0),
        "montbrio: node-steps/s": (rates.get("montbrio"), 4e10),
        "adex: simulation over analysis by table2": (_inverse(_share_of_analysis(found)), 1.0),
        "wong_wang over cubnm": (
            _ratio(rates.get("wong_wang"), found.get("cubnm", {}).get("node_steps_per_second")),
            2.0,
        ),
    }
    return {
        name: {"aim": aim, "reached": reached, "met": None if reached is None or aim is None else reached >= aim}
        for name, (reached, aim) in aims.items()
    }


def merge_figures(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was measured part by part, one after the other on one machine, as if it had been at once; in their order."""
    found: dict[str, Any] = {}
    for part in parts:
        found = {**part, **found}
    if found:
        found["seconds"] = sum(part["seconds"] for part in parts)
        found["goals"] = goals(found) if all(part["measured"] for part in parts) else {}
    return found


def table(found: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headers and rows of all rates."""
    headers = ("work", "instances", "node-steps/s", "steps", "share of roofline", "best variant", "remarks")
    rows: list[tuple[str, ...]] = []
    for work in found.get("works", []):
        if "node_steps_per_second" not in work:
            rows.append((work["title"], "", "", "", "", "", work["note"]))
            continue
        roof = work["roofline"]
        share = f"{roof['share']:.0%} ({roof['bound']})" if roof else ""
        rate = f"{work['node_steps_per_second']:.3g}"
        remarks = "; ".join(work["notes"])
        rows.append(
            (
                work["title"],
                f"{work['instances']:,}",
                rate,
                f"{work['steps']:,}",
                share,
                work["best_variant"] or "",
                remarks,
            )
        )
    for title, peer in _peers(found):
        rate = f"{peer['node_steps_per_second']:.3g}" if "node_steps_per_second" in peer else ""
        instances, steps = (f"{peer[name]:,}" if name in peer else "" for name in ("instances", "steps"))
        rows.append((title, instances, rate, steps, "", "", peer.get("note", "")))
    return headers, rows


def write_figures(found: Mapping[str, Any], path: Path) -> None:
    """Write what was found as JSON; raises ResultError where that cannot be."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ResultError(f"cannot write {path}: {error.strerror}") from error


def _peers(found: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    paper = found.get("paper_kernel", {})
    named = [(f"the paper's kernel, {key.replace('_', ' ')}", paper.get(key)) for key in ("as_shipped", "repaired")]
    named.append(("cuBNM, Wong-Wang", found.get("cubnm")))
    return [(title, peer) for title, peer in named if peer]


def _works(settings: Settings, device: Device, gpu: Gpu | None, say: Say) -> list[dict[str, object]]:
    works = [work for work in settings.works() if settings.only is None or work.key in settings.only]
    found = []
    for work in works:
        say(work.title)
        try:
            measured = measure_work(
                work, device, gpu, seconds=settings.share("works") / len(works), on_gpu=settings.on_gpu
            )
            found.append(measured.as_json())
        except RatemlxError as error:
            found.append({"key": work.key, "title": work.title, "note": error.message})
    return found


def _memory(settings: Settings, device: Device, say: Say) -> dict[str, object]:
    """Allocates the batch that is to fit into 40 GB, and runs a few steps of it."""
    count = MEMORY_GOAL if settings.instances is None else settings.instances
    work = WORKS[0].shrunk(count, 100)
    say(f"memory of {work.instances:,} instances")
    try:
        timing = time_variant(job_of(work, work.steps), DEFAULT, device)
    except RatemlxError as error:
        return {"note": error.message}
    each = max(timing.planned_bytes, timing.used_bytes if settings.instances is None else 0) / work.instances
    return {
        "instances": work.instances,
        "planned_bytes": timing.planned_bytes,
        "used_bytes": timing.used_bytes,
        "instances_per_40_gb": int(FORTY_GB // each),
    }


def _analysis(settings: Settings, device: Device, say: Say) -> dict[str, object]:
    say("analysis beside simulation")
    try:
        return measure_analysis(settings.works()[0], device, settings.device)
    except RatemlxError as error:
        return {"note": error.message}


def _paper(settings: Settings, gpu: Gpu | None, free: float, say: Say) -> dict[str, object]:
    work = settings.works()[0]
    say("the paper's kernel")
    try:
        return measure_paper_kernel(
            work.instances,
            gpu.architecture if gpu else "native",
            seconds=settings.share("paper"),
            free_bytes=free,
            toolchain=settings.toolchain,
        )
    except RatemlxError as error:
        return {"note": error.message}


def _environment(settings: Settings, device: Device) -> dict[str, Any]:
    return {
        "ratemlx": ratemlx_version(),
        "device": device.name,
        "measured": settings.on_gpu,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "seconds_given": settings.seconds,
    }


def _paper_rate(found: Mapping[str, Any], key: str) -> float | None:
    rate: float | None = found.get("paper_kernel", {}).get(key, {}).get("node_steps_per_second")
    return rate


def _share_of_analysis(found: Mapping[str, Any]) -> float | None:
    share: float | None = found.get("analysis", {}).get("table2", {}).get("analysis_over_simulation")
    return share


def _inverse(value: float | None) -> float | None:
    return 1 / value if value else None


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one and other else None
