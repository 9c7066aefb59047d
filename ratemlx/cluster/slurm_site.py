"""What is particular to a cluster's Slurm, read from a small YAML file: shipped ones by name, others by path.

The file is data from somebody else: it is capped, nothing but a flat table is taken from it, and every fault has its
place. Knows no run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ratemlx.cluster.slurm_values import check_count, check_key, check_name, check_path, check_variable
from ratemlx.errors import ClusterError
from ratemlx.runtime.arrays import bytes_text, did_you_mean

SITES = Path(__file__).with_name("sites")
MAX_BYTES = 64 << 10
GPU_REQUESTS = ("gpus-per-node", "gres")
GPU_BINDINGS = ("slurm", "rank")
CONTAINER_COMMANDS = ("apptainer", "singularity")
OURS = frozenset(
    (
        *("account", "partition", "job-name", "time", "nodes", "ntasks", "ntasks-per-node", "cpus-per-task"),
        *("gpus-per-node", "gres", "array", "signal", "requeue", "no-requeue", "output", "error", "open-mode"),
        *("chdir", "export", "wrap", "test-only"),
    )
)
"""Options of sbatch that the script sets itself, or that would undo what it does."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A cluster's habits. The options of `ratemlx slurm` come before them.

    `gpu_request`: the option of sbatch that asks for GPUs. `gpu_binding`: "slurm" shows each task one GPU, "rank"
    leaves it to the tasks, where all see all GPUs of their node, or the cluster gives each its own. `mpi`: what
    `srun --mpi` is given. `sbatch`: further options by long name, None for one without a value.
    """

    name: str
    description: str = ""
    account: str | None = None
    partition: str | None = None
    gpus_per_node: int = 0
    gpu_request: str = "gpus-per-node"
    gpu_type: str | None = None
    gpu_binding: str = "slurm"
    tasks_per_node: int | None = None
    cpus_per_task: int | None = None
    mpi: str | None = None
    modules: tuple[str, ...] = ()
    container_command: str = "apptainer"
    environment: Mapping[str, str] = field(default_factory=dict)
    sbatch: Mapping[str, str | None] = field(default_factory=dict)
    max_requeues: int = 100


def site_names() -> tuple[str, ...]:
    """The shipped sites, in alphabetical order."""
    return tuple(sorted(path.stem for path in SITES.glob("*.yaml")))


def load_site(name: str) -> Site:
    """A shipped site by name, or one of a file (a path with a slash or the ending .yaml); raises ClusterError."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return parse_site(_read(Path(name)), name)
    if name not in site_names():
        raise ClusterError(
            f"no site {name[:100]!r} is known", f"{did_you_mean(name, site_names())}; or give a FILE.yaml of your own"
        )
    return parse_site(_read(SITES / f"{name}.yaml"), name)


def parse_site(text: str, name: str) -> Site:
    """A site from the text of its file; `name` is for messages. Raises ClusterError with line and column."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise ClusterError(f"{name} is nested too deeply for a site") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise ClusterError(f"{_place(name, mark)}: cannot read this: {problem}") from error
    if root is None:
        return Site(name=name)
    found: dict[str, Any] = {}
    for key, node in _entries(root, name):
        if key.value not in KEYS:
            raise ClusterError(
                f"{_place(name, key.start_mark)}: a site has no {key.value[:100]!r}", did_you_mean(key.value, KEYS)
            )
        try:
            found[key.value] = KEYS[key.value](node, key.value)
        except ClusterError as error:
            raise ClusterError(f"{_place(name, node.start_mark)}: {error.message}", error.hint) from None
    return Site(name=name, **found)


def sbatch_option(key: str, value: str | None) -> tuple[str, str | None]:
    """A further option of sbatch, checked; raises ClusterError, also for one that the script sets itself."""
    if check_key(key) in OURS:
        raise ClusterError(f"--{key} of sbatch is set by the script itself", "see ratemlx slurm --help")
    return key, None if value is None else check_name(f"--{key}", value)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ClusterError(f"{path} does not exist", f"shipped sites: {', '.join(site_names())}") from None
    except OSError as error:
        raise ClusterError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ClusterError(f"{path} is longer than {bytes_text(MAX_BYTES)}, which no description of a site is")
    return data.decode("utf-8-sig", errors="replace")


def _place(name: str, mark: Any) -> str:
    return name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"


def _entries(node: Any, name: str) -> list[tuple[Any, Any]]:
    """Keys and values of a mapping, as nodes; keys are texts, and different."""
    if node.id != "mapping":
        raise ClusterError(f"{_place(name, node.start_mark)}: expected lines of KEY: VALUE")
    seen: set[str] = set()
    for key, _ in node.value:
        if key.id != "scalar" or key.value in seen:
            shown = repr(key.value[:100]) if key.id == "scalar" else "a table"
            problem = "is there twice" if key.id == "scalar" else "cannot be a key"
            raise ClusterError(f"{_place(name, key.start_mark)}: {shown} {problem}")
        seen.add(key.value)
    return list(node.value)


# What a value is read as. Texts are taken as they are written: YAML's own types would make 7200 of 02:00:00 and
# numbers of accounts.


def _text(node: Any, what: str) -> str:
    if node.id != "scalar" or node.tag.endswith(":null"):
        raise ClusterError(f"{what} must be a text")
    return str(node.value)


def _name(node: Any, what: str) -> str:
    return check_name(what, _text(node, what))


def _description(node: Any, what: str) -> str:
    text = " ".join(_text(node, what).split())
    if not text.isprintable():
        raise ClusterError(f"{what} has control characters")
    return text[:1000]


def _number(least: int) -> Callable[[Any, str], int]:
    def read(node: Any, what: str) -> int:
        text = _text(node, what)
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ClusterError(f"{what} must be a whole number; it is {text[:100]!r}")
        return check_count(what, int(text), least)

    return read


def _choice(known: tuple[str, ...]) -> Callable[[Any, str], str]:
    def read(node: Any, what: str) -> str:
        text = _text(node, what)
        if text not in known:
            raise ClusterError(f"{what} cannot be {text[:100]!r}", f"it is {' or '.join(known)}")
        return text

    return read


def _names(node: Any, what: str) -> tuple[str, ...]:
    if node.id != "sequence":
        raise ClusterError(f"{what} must be a list", f"write {what}: [ONE, OTHER]")
    return tuple(_name(item, what) for item in node.value)


def _environment(node: Any, what: str) -> dict[str, str]:
    return {
        check_variable(key.value): check_path(key.value, _text(item, key.value)) for key, item in _table(node, what)
    }


def _options(node: Any, what: str) -> dict[str, str | None]:
    read = {}
    for key, item in _table(node, what):
        flag = item.id == "scalar" and item.tag.endswith(":null")
        option, value = sbatch_option(key.value, None if flag else _text(item, key.value))
        read[option] = value
    return read


def _table(node: Any, what: str) -> list[tuple[Any, Any]]:
    if node.id != "mapping":
        raise ClusterError(f"{what} must be a table", f"write lines of KEY: VALUE below {what}:")
    return _entries(node, what)


KEYS: dict[str, Callable[[Any, str], Any]] = {
    "description": _description,
    "account": _name,
    "partition": _name,
    "gpus_per_node": _number(0),
    "gpu_request": _choice(GPU_REQUESTS),
    "gpu_type": _name,
    "gpu_binding": _choice(GPU_BINDINGS),
    "tasks_per_node": _number(1),
    "cpus_per_task": _number(1),
    "mpi": _name,
    "modules": _names,
    "container_command": _choice(CONTAINER_COMMANDS),
    "environment": _environment,
    "sbatch": _options,
    "max_requeues": _number(0),
}
"""How each key of a site is read; those of `Site` but its name."""
