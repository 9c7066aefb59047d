"""Expressions that are refused, each with its message, the characters that it marks, and a hint."""

from __future__ import annotations

import pytest

from tests.ir.texts import fault
from tests.support.timing import seconds_of

FUNCTIONS = (
    "exp, log, sin, cos, tan, sinh, cosh, tanh, erf, erfc, sqrt, abs, ceil, floor, min, max, heaviside, where, diff"
)
CONDITION = "a condition cannot compare the result of another one"
INNER = "give the inner one a name with a DerivedVariable"
SPLIT = "give parts of it names with DerivedVariables"
FINITE = "the value of this is not a finite real number"
DIFF = "diff takes the name of a transfer function and one or two names of its arguments"


@pytest.mark.parametrize(
    ("written", "message", "marked", "hint"),
    [
        ("", "the expression is empty", "", None),
        ("  ", "the expression is empty", "  ", None),
        ("x +", "the expression ends where a value should follow", "+", None),
        ("* x", "a value should stand before '*'", "*", None),
        ("(x", "'(' is never closed", "(", None),
        ("sin(x", "'(' is never closed", "(", None),
        ("x)", "')' cannot stand here", ")", None),
        ("a, b", "',' stands only between the arguments of a function", ",", "a decimal point is written as 0.05"),
        ("a b", "an operator is missing before 'b'", "b", None),
        ("2(x)", "an operator is missing before '('", "(", None),
        ("2x", "'2x' is not a number", "2x", "write '*' between the number and 'x'"),
        ("1.2.3", "'1.2.3' is not a number", "1.2.3", None),
        ("0x10", "'0x10' is not a number", "0x10", "write '*' between the number and 'x'"),
        ("x = 1", "'=' does not compare", "=", "write '==' to compare"),
        ("x && y", "'&&' is not part of the language", "&&", "write 'and'"),
        ("x || y", "'||' is not part of the language", "||", "write 'or'"),
        ("!x", "'!' is not part of the language", "!", "write 'not'"),
        ("x ? 1 : 2", "'?' is not part of the language", "?", "write where(condition, a, b)"),
        ("x % 2", "'%' is not part of the language", "%", "write a - b * floor(a / b)"),
        ("x // 2", "'//' is not part of the language", "//", "write floor(a / b)"),
        ("{x^2}", "'{' is not part of the language", "{", "group with '(' and ')'"),
        ("x := 1", "an expression cannot assign", ":=", "give the value a name with a DerivedVariable"),
        ("'x'", "an expression cannot contain text in quotes", "'", None),
        ('f"{x}"', "an expression cannot contain text in quotes", '"', None),
        ("x \\", "'\\' is not part of the language", "\\", None),
        ("x # y", "'#' is not part of the language", "#", None),
        ("${x}", "'$' is not part of the language", "$", None),
        ("<% x %>", "a value should stand before '<'", "<", None),
        ("x */ y", "a value should stand before '/'", "/", None),
        ('x; system("id")', "';' is not part of the language", ";", "an attribute holds one expression"),
        ("lambda: 1", "':' is not part of the language", ":", None),
        ("lambda + 1", "'lambda' is not part of the language", "lambda", None),
        ("a if x else b", "'if' is not part of the language", "if", "write where(condition, a, b)"),
        ("[i for i in x]", "a value should stand before '['", "[", None),
        ("True", "'True' is not part of the language", "True", None),
        ("().__class__", "a value should stand before ')'", ")", None),
        (
            "(x).real",
            "'.' stands only between a transfer function and one of its outputs",
            ".",
            "as in F_e.mu_V",
        ),
        (
            "a.b.c",
            "'.' stands only between a transfer function and one of its outputs",
            ".",
            "as in F_e.mu_V",
        ),
        ("a.b(c)", "an operator is missing before '('", "(", None),
        ("(x)[0]", "'[' stands only behind the name of a vector constant", "[", "as in P[0]"),
        ("P[i]", "an index is a whole number that is written out", "i", "as in P[0]"),
        ("P[-1]", "an index is a whole number that is written out", "-", "as in P[0]"),
        ("P[1.0]", "an index is a whole number that is written out", "1.0", "as in P[0]"),
        ("__import__('os')", "unknown function '__import__'", "__import__", f"there are {FUNCTIONS}"),
        ("sine(x)", "unknown function 'sine'", "sine", "did you mean 'sin'?"),
        ("pow(x, 2)", "unknown function 'pow'", "pow", "write x ^ y"),
        ("ln(x)", "unknown function 'ln'", "ln", "the natural logarithm is log(x)"),
        ("exp(x, y)", "'exp' does not take 2 arguments", "exp(x, y)", "write exp(x)"),
        ("max(x)", "'max' does not take 1 argument", "max(x)", "write max(a, b, ...)"),
        ("where(x, 1)", "'where' does not take 2 arguments", "where(x, 1)", "write where(condition, a, b)"),
        ("diff(F)", DIFF, "diff(F)", "write diff(F, a) or diff(F, a, b)"),
        ("diff(F, a, b, c)", DIFF, "diff(F, a, b, c)", "write diff(F, a) or diff(F, a, b)"),
        ("diff(x^2, x)", DIFF, "diff(x^2, x)", "write diff(F, a) or diff(F, a, b)"),
        ("x / 0", "division by zero", "0", None),
        ("1 / (2 - 2)", "division by zero", "2 - 2", None),
        ("sqrt(-1)", FINITE, "sqrt(-1)", None),
        ("log(0)", FINITE, "log(0)", None),
        ("exp(1000)", FINITE, "exp(1000)", None),
        ("0^-1", FINITE, "0^-1", None),
        ("inf - inf", FINITE, "inf - inf", None),
        ("9**9**9**9", "an exponent is at most 64", "9**9", None),
        ("x^65", "an exponent is at most 64", "65", None),
        ("((2 * x)^64)^64", "nested powers multiply to more than 256", "(2 * x)^64", SPLIT),
        (
            "max(" + "a, " * 7 + "max(b, c))",
            "max chooses among at most 8 values",
            "max(" + "a, " * 7 + "max(b, c))",
            SPLIT,
        ),
        ("where(where(x, 1, 2) > 1, 1, 2)", CONDITION, "where(x, 1, 2)", INNER),
        ("where(where(x, 1, 2), 1, 2)", CONDITION, "where(x, 1, 2)", INNER),
        ("(x > 1) == (y > 1)", CONDITION, "x > 1", INNER),
        ("heaviside(1 + heaviside(x))", CONDITION, "heaviside(x)", INNER),
        ("where(y and not max(x, (z > 1)), 1, 2)", CONDITION, "z > 1", INNER),
        ("1e999", "a number has at most 40 digits and an exponent of at most 308", "1e999", None),
        ("1" * 41, "a number has at most 40 digits and an exponent of at most 308", "1" * 41, None),
        ("1e-99999999999", "a number has at most 40 digits and an exponent of at most 308", "1e-99999999999", None),
        ("х + 1", "'х' (U+0445, CYRILLIC SMALL LETTER HA) is not part of the language", "х", None),  # noqa: RUF001
        ("x\u202e", "the character (U+202E, RIGHT-TO-LEFT OVERRIDE) is not part of the language", "\u202e", None),
        ("x\x00", "the character (U+0000, unnamed) is not part of the language", "\x00", None),
        ("ﬁ", "'ﬁ' (U+FB01, LATIN SMALL LIGATURE FI) is not part of the language", "ﬁ", None),
        ("a" * 101, "a name has at most 100 characters", "a" * 101, None),
    ],
)
def test_message(written: str, message: str, marked: str, hint: str | None) -> None:
    assert fault(written) == (message, marked, hint)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("(" * 50_000 + ")" * 50_000, "the expression has 100,000 characters; the limit is 10,000", SPLIT),
        ("(" * 5_000 + ")" * 5_000, "the expression is nested more than 40 levels deep", SPLIT),
        ("-" * 9_000 + "x", "the expression is nested more than 40 levels deep", SPLIT),
        ("not " * 2_000 + "x", "the expression is nested more than 40 levels deep", SPLIT),
        ("2^" * 4_000 + "2", "the expression is nested more than 40 levels deep", SPLIT),
        ("where(" + " < ".join(["x"] * 1_000) + ", 1, 2)", "an expression has at most 200 comparisons", SPLIT),
        ("exp(" * 1_900 + "x" + ")" * 1_900, "the expression is nested more than 40 levels deep", SPLIT),
    ],
)
def test_what_would_exhaust_a_parser_is_refused_at_once(written: str, message: str, hint: str) -> None:
    assert fault(written)[0] == message
    assert fault(written)[2] == hint
    assert seconds_of(lambda: fault(written), 0.25) < 0.25
