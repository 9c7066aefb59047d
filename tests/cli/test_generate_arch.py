"""`ratemlx generate --arch`: kernels compiled where there is no GPU, for machines where there is no compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemlx.abi import Manifest, definitions
from ratemlx.cli import main
from ratemlx.errors import DeviceError
from ratemlx.runtime.devices.cuda_architecture import Architecture
from ratemlx.runtime.devices.cuda_compile import device_code
from ratemlx.runtime.devices.nvcc import Nvcc


def nowhere() -> Nvcc:
    raise DeviceError("there is no compiler on this machine")


def test_kernels_are_compiled_into_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RATEMLX_CACHE_DIR", str(tmp_path / "cache"))
    command = ["generate", "montbrio", "--target", "cuda", "-o", str(tmp_path), "--arch", "sm_80, 9.0"]
    assert main(command) == 0
    printed = capsys.readouterr().out.splitlines()
    cubins = [Path(line) for line in printed if line.endswith(".cubin")]
    # Five sizes of blocks and two programs of observables, for two architectures.
    assert len(set(cubins)) == 14
    assert {path.name.partition("-")[0] for path in cubins} == {"montbrio", "moments", "balloon"}
    assert all(path.read_bytes().startswith(b"\x7fELF") for path in cubins)
    folder = tmp_path / "montbrio" / "cuda"
    chosen = definitions(Manifest.load(folder), lanes=32, block=8)
    found = [device_code(folder / "montbrio.cu", chosen, Architecture(*which), [nowhere]) for which in ((8, 0), (9, 0))]
    assert set(found) < set(cubins)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "cpp", "--arch", "sm_80"], "goes with --target cuda and without --check"),
        (["--target", "cuda", "--arch", "sm_80", "--check"], "goes with --target cuda and without --check"),
        (["--target", "cuda", "--arch", "sm_80,hopper"], "'hopper' is no GPU architecture"),
        (["--target", "cuda", "--arch", "sm_35"], "sm_35 is too old"),
    ],
)
def test_what_cannot_be_compiled_for(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "montbrio", *words, "-o", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
