"""Puts the parts of tests/gpu/run.sh into one file: `python -m tests.gpu.summary PARTS FILE FAILED`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ratemlx.bench.gpu.benchmark import merge_figures, write_figures

BENCHMARKS = ("works", "paper", "cubnm")


def main(parts: Path, file: Path, failed: str) -> int:
    """Write the file and print what goals were reached."""
    benchmarks = [_json(parts / f"{name}.json") for name in BENCHMARKS]
    found: dict[str, Any] = merge_figures([item for item in benchmarks if item])
    found |= _json(parts / "sanitizer.json")
    found["tests"] = _tests(sorted(parts.glob("tests-*.xml")))
    found["failed_parts"] = failed.split()
    write_figures(found, file)
    for name, goal in found.get("goals", {}).items():
        if goal["reached"] is not None:
            print(f"{name}: {goal['reached']:.4g} of {goal['aim']:.4g}{'' if goal['met'] else ', missed'}")
    print(f"figures: {file}")
    return 0


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _tests(paths: Sequence[Path]) -> dict[str, Any]:
    """Counts of reports in JUnit's form, put together, and the names of what failed."""
    suites = [suite for path in paths for suite in ElementTree.parse(path).getroot().iter("testsuite")]
    counts: dict[str, Any] = {
        name: sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    }
    counts["failed"] = [
        f"{case.get('classname')}::{case.get('name')}"
        for suite in suites
        for case in suite.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]
    return counts


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
