"""`ratemlx slurm`: mistakes of the run and of the job are told at once, and scripts say what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from ratemlx.cli import main
from ratemlx.cli.app import build_app

RUN = ("linear", "--sweep", "gamma=-9:-2:4", "--duration", "10", "--connectome", "tvb:66", "-o", "sweep")
CPU = ("--cpus-per-task", "2")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said of a wrong command, which writes nothing."""
    before = sorted(Path.cwd().iterdir())
    assert main(["slurm", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sorted(Path.cwd().iterdir()) == before
    return printed.err


def test_no_option_means_two_things() -> None:
    commands = get_command(build_app()).commands  # type: ignore[attr-defined]
    ours, of_run = (
        {item for parameter in commands[name].params for item in parameter.opts} for name in ("slurm", "run")
    )
    assert {item for item in ours & of_run if item.startswith("-")} == set()


def test_a_script_for_nodes_with_gpus(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--nodes", "2", "--gpus-per-node", "4", "--time", "02:00:00")
    assert main(["slurm", *RUN[:3], *words, *RUN[3:]]) == 0
    assert capsys.readouterr().out == "linear.slurm: 2 nodes x 4 GPUs, 8 ranks, 02:00:00\nsubmit: sbatch linear.slurm\n"
    script = Path("linear.slurm").read_text(encoding="utf-8")
    assert "#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=4\n#SBATCH --gpus-per-node=4\n" in script
    lines = "    ratemlx run linear\n    --sweep gamma=-9:-2:4\n    --duration 10\n    --connectome tvb:66\n"
    assert f"{lines}    -o sweep\n    --target cuda\n" in script
    assert not Path("sweep").exists()


def test_a_task_without_gpus_has_a_core_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As Slurm has it, so that a first script needs no option; and said aloud."""
    assert main(["slurm", *RUN]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("linear.slurm: 1 node, 1 rank, 01:00:00\n")
    assert told.err == ("note: one core for each task, as Slurm gives by itself; --cpus-per-task N asks for more\n")
    script = Path("linear.slurm").read_text(encoding="utf-8")
    assert "#SBATCH --cpus-per-task=1\n" in script
    assert "    --threads 1\n" in script
    for words in (CPU, ("--gpus-per-node", "1")):
        assert main(["slurm", *RUN, *words]) == 0
        assert capsys.readouterr().err == ""


def test_the_run_may_follow_two_dashes() -> None:
    assert main(["slurm", *CPU, "--script", "a.sh", "--", *RUN]) == 0
    assert main(["slurm", *RUN, *CPU, "--script", "b.sh"]) == 0
    assert Path("a.sh").read_text(encoding="utf-8") == Path("b.sh").read_text(encoding="utf-8")
    assert "    --threads 2\n" in Path("a.sh").read_text(encoding="utf-8")


def test_an_array_has_a_job_that_merges(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", *RUN, *CPU, "--array", "3", "--script", "part.sh"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "part.sh: 3 jobs of 1 node, 1 rank, 01:00:00",
        "submit: job=$(sbatch --parsable part.sh) && sbatch --dependency=afterok:$job part-merge.sh",
    ]
    assert "ratemlx merge sweep\n" in Path("part-merge.sh").read_text(encoding="utf-8")


def test_options_come_before_the_site() -> None:
    Path("ours.yaml").write_text("partition: long\naccount: brain\nmpi: pmix\ncpus_per_task: 4\n", encoding="utf-8")
    assert main(["slurm", *RUN, "--site", "ours.yaml", "--partition", "short", "--sbatch", "mem=8G"]) == 0
    script = Path("linear.slurm").read_text(encoding="utf-8")
    assert "#SBATCH --account=brain\n#SBATCH --partition=short\n" in script
    assert "#SBATCH --mem=8G\n" in script
    assert "srun --mpi=pmix --cpus-per-task=4 " in script


def test_the_present_virtual_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/home/me/venv")
    assert main(["slurm", *RUN, *CPU]) == 0
    assert "source /home/me/venv/bin/activate\n" in Path("linear.slurm").read_text(encoding="utf-8")
    assert main(["slurm", *RUN, *CPU, "--container", "image.sif"]) == 0
    assert "activate" not in Path("linear.slurm").read_text(encoding="utf-8")


def test_warnings_of_the_run_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", "linear", "--sweep", "gamma=-50,-1", "--duration", "10", "-o", "sweep", *CPU]) == 0
    assert "warning: gamma = -50 to -1 leaves the model's range" in capsys.readouterr().err


def test_gpus_may_be_named_by_package_and_architecture(capsys: pytest.CaptureFixture[str]) -> None:
    gpus = ("--gpus-per-node", "2", "--target", "cuda:cuda-core")
    assert main(["slurm", *RUN, *gpus, "--arch", "sm_80"]) == 0
    assert "    --target cuda:cuda-core\n    --arch sm_80\n" in Path("linear.slurm").read_text(encoding="utf-8")
    capsys.readouterr()
    assert "'hopper' is no GPU architecture" in refused(capsys, *RUN, *gpus, "--arch", "hopper")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("linaer", "-o", "x", *CPU), "did you mean 'linear'?"),
        (("linear", "--sweep", "gama=0,1", "-o", "x", *CPU), "linear has no parameter 'gama'"),
        (("linear", "--duration", "-1", "-o", "x", *CPU), "duration must be above zero"),
        (("linear", "--connectome", "none.zip", "-o", "x", *CPU), "there is no connectome 'none.zip'"),
        (("linear", "--node", "2", "-o", "x", *CPU), "No such option: --node"),
        (("linear", *CPU), "a job without a folder for results keeps nothing"),
        (("linear", "-o", "x", "--target", "cuda"), "--target cuda needs GPUs"),
        (("linear", "-o", "x", "--target", "cpu", "--gpus-per-node", "4"), "leaves them idle"),
        (("linear", "-o", "x", *CPU, "--plan-only"), "--plan-only is for the machine at hand"),
        (("linear", "-o", "x", *CPU, "--compile-only"), "--compile-only is for the machine at hand"),
        (("linear", "-o", "x", *CPU, "--restart"), "--restart would discard what the job itself has done, whenever"),
        (("linear", "-o", "x", *CPU, "--restart", "--requeue"), "--restart would discard"),
        (("linear", "-o", "x", *CPU, "--restart", "--array", "2"), "--restart would discard"),
        (("linear", "-o", "x", *CPU, "--time", "2:00"), "cannot read the time limit '2:00'"),
        (("linear", "-o", "x", *CPU, "--site", "juwels"), "no site 'juwels' is known"),
        (("linear", "-o", "x", *CPU, "--sbatch", "wrap=id"), "--wrap of sbatch is set by the script itself"),
        (("linear", "-o", "x", *CPU, "--account", "a\n#SBATCH --wrap=id"), "the account cannot be"),
        (("linear", "-o", "x;id", *CPU), "the folder for results cannot be 'x;id'"),
        (("linear", "-o", "x", *CPU, "--job-name", "$(id)"), "the job's name cannot be '$(id)'"),
    ],
)
def test_mistakes_are_told_now(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in refused(capsys, *words)


def test_only_scripts_of_ours_are_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", *RUN, *CPU]) == 0
    assert "replaced" not in capsys.readouterr().out
    assert main(["slurm", *RUN, *CPU, "--time", "5"]) == 0
    assert "--time=5\n" in Path("linear.slurm").read_text(encoding="utf-8")
    assert capsys.readouterr().out.startswith("replaced: linear.slurm\n")
    Path("linear.slurm").write_text("#!/bin/bash\n", encoding="utf-8")
    assert "is there already, and is no script of ratemlx" in refused(capsys, *RUN, *CPU)
