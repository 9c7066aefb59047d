"""What a compiled CUDA kernel executes: the instructions of a cubin, counted by class, as a whole and within one step.

Reads the text that nvdisasm prints. Knows the shape of our kernels (one loop over the steps of a block, and before it
loops that gather from edges), no model.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ratemlx.errors import DeviceError

CLASSES: Mapping[str, frozenset[str]] = {
    "fma": frozenset({"FFMA", "DFMA"}),
    "add": frozenset({"FADD", "DADD"}),
    "multiply": frozenset({"FMUL", "DMUL"}),
    "special": frozenset({"MUFU"}),
    "load": frozenset({"LDG", "LD", "LDL"}),
    "store": frozenset({"STG", "ST", "STL", "RED", "REDG", "ATOM", "ATOMG"}),
    "shared": frozenset({"LDS", "STS"}),
    "branch": frozenset({"BRA", "BSSY", "BSYNC", "CALL", "RET", "EXIT", "BREAK", "WARPSYNC", "BAR"}),
}
"""Mnemonics of each class that is told apart; all others (integers, selects, moves, conversions) are `other`."""
OPERATIONS: Mapping[str, int] = {"FFMA": 2, "DFMA": 2, "FADD": 1, "DADD": 1, "FMUL": 1, "DMUL": 1, "MUFU": 1}
"""Floating-point operations of an instruction; what moves or compares numbers has none."""
PHILOX_FACTORS = ("-0x326172a9", "-0x2daee0ad", "0xcd9e8d57", "0xd2511f53")
"""What Philox multiplies with: the noise of a kernel is known by it."""
STEPS_PER_NUMBER = 4
"""Steps that share one call of the noise generator."""
DETOUR = 20
"""A piece with a call and no more instructions than this is the slow way of a division or a root, seldom taken."""

_INSTRUCTION = re.compile(r"/\*([0-9a-f]{4,})\*/\s+((?:@!?U?P\w+\s+)?)([A-Z][A-Z0-9_]*)(\S*)\s*([^;]*);")
_LABEL = re.compile(r"^(\.L_x?_?\w+):")
_TARGET = re.compile(r"`\((\.L\w+)\)")
_SECTION = re.compile(r"^//-+ \.text\.(\w+)")


@dataclass(frozen=True)
class Instruction:
    """One instruction: mnemonic without its modifiers, operands, and whether a predicate guards it."""

    name: str
    operands: str
    guarded: bool


@dataclass(frozen=True)
class Counts:
    """Instructions by mnemonic; not whole where some are executed in a part of the steps only."""

    by_name: Mapping[str, float]

    @property
    def total(self) -> float:
        """All instructions."""
        return sum(self.by_name.values())

    @property
    def operations(self) -> float:
        """Floating-point operations; a fused multiply-add is two."""
        return sum(OPERATIONS.get(name, 0) * count for name, count in self.by_name.items())

    def by_class(self) -> dict[str, float]:
        """Instructions of each of CLASSES, and `other`."""
        found = {title: sum(self.by_name.get(name, 0) for name in names) for title, names in CLASSES.items()}
        return {**found, "other": self.total - sum(found.values())}


@dataclass(frozen=True)
class FunctionCounts:
    """A kernel function: all that is written down, what one step executes, what one edge of a gathered block does.

    `step` and `edge` are None where the function has no such loop. In `step` the noise counts for a quarter, the end of
    a sample for one part in `steps_per_sample`, and detours (special cases of divisions, tracts of a region to itself,
    the note of a divergence) not at all.
    """

    written: Counts
    step: Counts | None
    edge: Counts | None


def find_disassembler() -> str | None:
    """nvdisasm: on the PATH, of the CUDA toolkit, or of the package nvidia-cuda-nvdisasm; None if there is none."""
    folders = [Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "bin"]
    folders += sorted(Path(sysconfig.get_paths()["purelib"]).glob("nvidia/*/bin"))
    places = (shutil.which("nvdisasm"), *(shutil.which("nvdisasm", path=str(folder)) for folder in folders))
    return next((place for place in places if place), None)


def disassemble(cubin: Path) -> str:
    """The text of a cubin's kernels; raises DeviceError where there is no nvdisasm or it fails."""
    tool = find_disassembler()
    if tool is None:
        raise DeviceError("there is no nvdisasm to count instructions with", "pip install nvidia-cuda-nvdisasm")
    done = subprocess.run([tool, "-c", str(cubin)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise DeviceError(f"nvdisasm cannot read {cubin.name}: {done.stderr.strip()}")
    return done.stdout


def count_sass(text: str, *, steps_per_sample: int = 10) -> dict[str, FunctionCounts]:
    """Counts of every function in a disassembly, by the function's name."""
    return {name: _count(listing, steps_per_sample) for name, listing in _functions(text)}


def floating_point_operations_per_step(counts: FunctionCounts, *, block: int, edges_per_region: float) -> float:
    """Operations of one region of one instance in one step, its share of the gathering included."""
    return _per_step(counts, "operations", block, edges_per_region)


def instructions_per_step(counts: FunctionCounts, *, block: int, edges_per_region: float) -> float:
    """Instructions that a warp issues for one region of its instances in one step."""
    return _per_step(counts, "total", block, edges_per_region)


def _per_step(counts: FunctionCounts, what: str, block: int, edges_per_region: float) -> float:
    step = float(getattr(counts.step, what)) if counts.step else 0.0
    edge = float(getattr(counts.edge, what)) if counts.edge else 0.0
    return step + edge * edges_per_region / block


@dataclass(frozen=True)
class _Listing:
    """A function's instructions in order, and the places that labels stand for."""

    instructions: Sequence[Instruction]
    labels: Mapping[str, int]

    def jumps(self) -> Iterator[tuple[int, int]]:
        """Places of branches with the places that they lead to."""
        for at, instruction in enumerate(self.instructions):
            target = _TARGET.search(instruction.operands) if instruction.name == "BRA" else None
            if target and target[1] in self.labels:
                yield at, self.labels[target[1]]

    def loops(self) -> list[tuple[int, int]]:
        """First and last place of each loop; a branch to itself, which pads a function, is none."""
        return [(to, at) for at, to in self.jumps() if to < at]


def _functions(text: str) -> Iterator[tuple[str, _Listing]]:
    name, instructions, labels = "", list[Instruction](), dict[str, int]()
    for line in text.splitlines():
        if section := _SECTION.match(line):
            if name:
                yield name, _Listing(instructions, labels)
            name, instructions, labels = section[1], [], {}
        elif label := _LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif found := _INSTRUCTION.search(line):
            instructions.append(Instruction(found[3], found[5], bool(found[2].strip())))
    if name:
        yield name, _Listing(instructions, labels)


def _count(listing: _Listing, steps_per_sample: int) -> FunctionCounts:
    written = Counts(Counter(item.name for item in listing.instructions))
    loops = listing.loops()
    if not loops:
        return FunctionCounts(written, None, None)
    first, last = _step_loop(listing, loops)
    weights = _weights(listing, first, last, steps_per_sample)
    gathers = [loop for loop in loops if loop[1] < first]
    edge = sum((Counter(_names(listing, *loop)) for loop in gathers), Counter[str]())
    return FunctionCounts(written, Counts(weights), Counts(edge) if edge else None)


def _names(listing: _Listing, first: int, last: int) -> list[str]:
    return [item.name for item in listing.instructions[first : last + 1]]


def _step_loop(listing: _Listing, loops: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The innermost loop that stores the states' channels and is long: that over steps."""
    storing = [loop for loop in loops if {"STG", "ST"} & set(_names(listing, *loop))]
    candidates = storing or list(loops)
    most = max(last - first for first, last in candidates)
    return min((loop for loop in candidates if loop[1] - loop[0] > most // 2), key=lambda loop: loop[1] - loop[0])


def _weights(listing: _Listing, first: int, last: int, steps_per_sample: int) -> dict[str, float]:
    """How often a step executes each mnemonic of its loop."""
    often = [1.0] * (last + 1 - first)
    for begin, end in _pieces(listing, first, last):
        share = _share(listing, (first, last), begin, end, steps_per_sample)
        for place in range(begin, end):
            often[place - first] = min(often[place - first], share)
    found: Counter[str] = Counter()
    for place, share in enumerate(often):
        found[listing.instructions[first + place].name] += share  # type: ignore[assignment]
    return {name: float(count) for name, count in found.items() if count}


def _pieces(listing: _Listing, first: int, last: int) -> Iterator[tuple[int, int]]:
    """What forward branches within a loop jump over, and the loops within."""
    for at, to in listing.jumps():
        if first <= at < to <= last and listing.instructions[at].guarded:
            yield at + 1, to
        elif first < to < at < last:
            yield to, at + 1


def _share(listing: _Listing, loop: tuple[int, int], begin: int, end: int, steps_per_sample: int) -> float:
    """The share of steps in which a piece of the loop over steps is executed."""
    first, last = loop
    piece = listing.instructions[begin:end]
    names = {item.name for item in piece}
    if len(piece) > (last - first) // 2 and "STG" in names:
        return 1.0  # not a detour, but what guards the whole step
    if any(factor in item.operands for item in piece for factor in PHILOX_FACTORS):
        return 1 / STEPS_PER_NUMBER
    if any(begin <= to < at < end for at, to in listing.jumps()):
        return 0.0
    if names & {"REDG", "RED", "ATOMG"} or ("CALL" in names and len(piece) <= DETOUR):
        return 0.0
    return 1 / steps_per_sample if names & {"STG", "ST"} else 1.0
