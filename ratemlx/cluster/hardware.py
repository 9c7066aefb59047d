"""The catalogue of GPUs and clusters, read from hardware.yaml: what a data sheet says, nothing measured.

Knows no model and no run; hardware is added to the file, not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ratemlx.abi import Precision
from ratemlx.errors import DeviceError
from ratemlx.runtime.arrays import did_you_mean

CATALOGUE = Path(__file__).with_name("hardware.yaml")
Item = TypeVar("Item")
FLOATING_POINT_PER_LANE = 2
"""A fused multiply-add is two operations in one clock; data sheets count it so."""


@dataclass(frozen=True)
class Gpu:
    """A GPU: memory in bytes, bandwidth in bytes/s, clock in Hz, `lanes` per multiprocessor and precision.

    `published` is the data sheet's peak in operations per second.
    """

    key: str
    name: str
    architecture: str
    memory: float
    multiprocessors: int
    lanes: Mapping[str, int]
    clock: float
    bandwidth: float
    published: Mapping[str, float]
    source: str

    def instructions(self, precision: Precision) -> float:
        """Arithmetic instructions per second that all lanes can start."""
        return self.multiprocessors * self.lanes[precision] * self.clock

    def peak(self, precision: Precision) -> float:
        """Floating-point operations per second, a fused multiply-add counted as two."""
        return FLOATING_POINT_PER_LANE * self.instructions(precision)


@dataclass(frozen=True)
class Cluster:
    """Nodes of equal GPUs; a rank has one of them."""

    key: str
    name: str
    nodes: int
    gpus_per_node: int
    gpu: Gpu
    source: str

    @property
    def ranks(self) -> int:
        """Ranks on the whole machine."""
        return self.nodes * self.gpus_per_node


def gpus() -> dict[str, Gpu]:
    """All GPUs of the catalogue by key."""
    return {key: _gpu(key, entry) for key, entry in _catalogue()["gpus"].items()}


def clusters() -> dict[str, Cluster]:
    """All clusters of the catalogue by key."""
    known = gpus()
    return {
        key: Cluster(**{**entry, "key": key, "gpu": known[entry["gpu"]]})
        for key, entry in _catalogue()["clusters"].items()
    }


def find_gpu(name: str) -> Gpu:
    """A GPU by its key, however it is spelt ("rtx 4090"); raises DeviceError."""
    return _find(name, gpus(), "GPU")


def find_cluster(name: str) -> Cluster:
    """A cluster by its key; raises DeviceError."""
    return _find(name, clusters(), "cluster")


def match_gpu(device_name: str) -> Gpu | None:
    """The catalogue's entry for a name that a driver reports, such as "NVIDIA H200"; None if there is none.

    Of entries that differ in memory only, the name must tell which it is.
    """
    words = set(_plain(device_name).split("-"))
    found = [item for key, item in gpus().items() if set(_plain(key).split("-")) <= words | _memory_words(words)]
    return max(found, key=lambda item: len(item.key), default=None)


def _memory_words(words: set[str]) -> set[str]:
    """ "40gb" stands for the "40" of a key too."""
    return {word.removesuffix("gb") for word in words if word.endswith("gb")}


def _find(name: str, known: Mapping[str, Item], kind: str) -> Item:
    for key, item in known.items():
        if _plain(key) == _plain(name):
            return item
    raise DeviceError(f"the catalogue has no {kind} {name!r}", did_you_mean(name, known))


def _plain(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9.]+", name.lower()))


def _gpu(key: str, entry: Mapping[str, Any]) -> Gpu:
    scaled = {
        "memory": entry["memory"] * 1e9,
        "clock": entry["clock"] * 1e6,
        "bandwidth": entry["bandwidth"] * 1e9,
        "published": {name: value * 1e12 for name, value in entry["published"].items()},
    }
    return Gpu(**{**entry, **scaled, "key": key})


@cache
def _catalogue() -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return found
