"""What decides a run's results, as texts that can be compared: two runs with equal fingerprints are the same run.

Threads and batch size are left out, which alter nothing, and lanes, which alter rounding as another machine does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ratemlx.abi import ABI_VERSION, MANIFEST_NAME
from ratemlx.errors import KernelError, PluginError
from ratemlx.runtime.arrays import Floats
from ratemlx.runtime.spec import Job


def ratemlx_version() -> str:
    """The installed version, or "unknown" where the package runs without being installed."""
    try:
        return version("ratemlx")
    except PackageNotFoundError:
        return "unknown"


def fingerprint(job: Job) -> dict[str, str]:
    """Named parts of what decides the results of a point, and what is kept of them; not the points themselves.

    A sweep may be enlarged, and parameters set to other values, in the same run.
    """
    spec, outputs = job.spec, job.spec.outputs
    return {
        "model": job.manifest.model,
        "kernel": _hash_of_kernel(job),
        "connectome": f"{job.connectome.name} {job.connectome.fingerprint}",
        "set": " ".join(f"{name}={value!r}" for name, value in sorted(job.constants.items())),
        "dt": repr(job.timing.dt),
        "period": repr(job.timing.period),
        "duration": repr(job.timing.duration),
        "precision": spec.precision,
        "history": spec.history or spec.precision,
        "integrator": spec.integrator,
        "noise": "common" if spec.noise and spec.common_noise else "on" if spec.noise else "off",
        "seed": str(spec.seed),
        "initial": _hash(job.initial),
        "regional": _hash(job.regional) if job.regional is not None else "",
        "stimuli": _hash(job.stimuli.courses, job.stimuli.patterns) if job.stimuli else "",
        "observe": " ".join(job.observed),
        "metrics": " ".join(outputs.metrics),
        "plugins": _hash_of_files(outputs.plugins) if outputs.metrics else "",
        "FCD": f"{outputs.fcd_window!r} {outputs.fcd_step!r}" if outputs.computes else "",
        "transient": repr(outputs.transient) if outputs.computes else "",
        "fitness": "" if outputs.fitness is None else outputs.fitness.fingerprint,
        "BOLD": "" if outputs.bold is None else repr(outputs.bold),
        "kept series": f"{outputs.kept.which} {outputs.kept.count}",
        "kept FC": "all" if outputs.keep_fc else "best" if outputs.fitness is not None else "",
        "device": spec.device.partition(":")[0],
        "version": ratemlx_version(),
        "abi": str(ABI_VERSION),
    }


def digest(parts: Mapping[str, str]) -> str:
    """One hash of all parts of a fingerprint, to stamp files with."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def differences(old: Mapping[str, object], new: Mapping[str, str]) -> list[str]:
    """What differs, in words; long hashes are named and not shown."""
    words = []
    for name in {**old, **new}:
        before, now = str(old.get(name, "nothing")), new.get(name, "nothing")
        if before != now:
            hidden = (
                name in ("kernel", "connectome", "initial", "regional", "stimuli", "plugins", "fitness", "BOLD")
                or len(before + now) > 100
            )
            words.append(name if hidden else f"{name} ({before or 'nothing'} there, {now or 'nothing'} now)")
    return words


def _hash_of_files(paths: Sequence[Path]) -> str:
    """What metrics of users are made of: results of another one do not belong to the same run."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise PluginError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _hash(*arrays: Floats) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _hash_of_kernel(job: Job) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in (MANIFEST_NAME, job.manifest.kernel):
        try:
            digest.update((job.spec.folder / name).read_bytes())
        except OSError as error:
            raise KernelError(
                f"{job.spec.folder / name} cannot be read: {error.strerror}", "generate the folder again"
            ) from error
    return digest.hexdigest()
