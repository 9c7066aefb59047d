"""Modules stay short enough to read in one sitting."""

from __future__ import annotations

from statistics import median

from tests.house.sizes import function_lengths, module_lengths, report

LARGEST_MODULE = 500
MEDIAN_MODULE = 150
LARGEST_FUNCTION = 90


def test_no_module_is_too_long() -> None:
    assert {name: lines for name, lines in module_lengths().items() if lines > LARGEST_MODULE} == {}


def test_the_median_module_is_short() -> None:
    assert median(module_lengths().values()) <= MEDIAN_MODULE


def test_no_function_needs_a_scroll() -> None:
    assert {name: lines for name, lines in function_lengths().items() if lines > LARGEST_FUNCTION} == {}


def test_the_report_has_a_line_for_modules_and_one_for_functions() -> None:
    modules, functions = report().splitlines()
    assert modules.startswith(f"{len(module_lengths())} modules: median ")
    assert functions.startswith(f"{len(function_lengths())} functions: median ")
