"""What may stand in a job script, and what is refused with one message."""

from __future__ import annotations

import pytest

from ratemlx.cluster.slurm_values import (
    check_argument,
    check_count,
    check_name,
    check_path,
    check_variable,
    time_seconds,
)
from ratemlx.errors import ClusterError

HOSTILE = [
    "",
    "a\nb",
    "a\n#SBATCH --wrap=id",
    "a\r",
    "a;id",
    "$(id)",
    "`id`",
    "${HOME}",
    "-x",
    "--wrap=id",
    "a|b",
    "a&b",
    "a>b",
    "a'b",
    'a"b',
    "a\\b",
    "a\x00b",
    "a\x1b[2J",
    "a\u202eb",
    "a\u2028b",
    "x" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_refused(text: str) -> None:
    with pytest.raises(ClusterError) as refused:
        check_name("the account", text)
    assert str(refused.value).isascii()
    assert len(str(refused.value)) < 600
    assert str(refused.value).count("\n") <= 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_paths_are_refused(text: str) -> None:
    with pytest.raises(ClusterError):
        check_path("the container", text)


@pytest.mark.parametrize("text", ["brain", "user@host", "Stages/2024", "GCC/13.3.0", "gpu:a100", "n[01-04]", "c++"])
def test_names_of_clusters_are_accepted(text: str) -> None:
    assert check_name("a name", text) == text


@pytest.mark.parametrize("text", ["/p/project/with blanks/image.sif", "./a", "Jülich/θ", "docker:x/y:1.0", "~/venv"])
def test_paths_are_accepted(text: str) -> None:
    assert check_path("a path", text) == text


def test_arguments_may_hold_what_a_shell_acts_on_but_no_line_break() -> None:
    assert check_argument("stimulus=5e-4*heaviside(t-500) $x;'") == "stimulus=5e-4*heaviside(t-500) $x;'"
    with pytest.raises(ClusterError, match="argument"):
        check_argument("a\n#SBATCH --wrap=id")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("02:00:00", 7200),
        ("0:00:01", 1),
        ("100:00:00", 360_000),
        ("1-00:00:00", 86_400),
        ("7-23:59:59", 691_199),
        ("90", 5400),
    ],
)
def test_times(text: str, seconds: int) -> None:
    assert time_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "02:00",
        "1:60:00",
        "1:00:60",
        "1-24:00:00",
        "0",
        "00:00:00",
        "-5",
        "1h",
        "1.5",
        "UNLIMITED",
        "1-00",
        "\u0661",
    ],
)
def test_times_that_are_wrong_or_ambiguous(text: str) -> None:
    with pytest.raises(ClusterError, match="time limit"):
        time_seconds(text)


def test_counts_and_variables() -> None:
    assert check_count("nodes", 936) == 936
    for wrong in (0, -1, 10**9):
        with pytest.raises(ClusterError, match="nodes must be from 1 to"):
            check_count("nodes", wrong)
    assert check_variable("OMP_NUM_THREADS") == "OMP_NUM_THREADS"
    with pytest.raises(ClusterError):
        check_variable("A=1;id")
