"""NVRTC, NVIDIA's compiler as a library, through cuda-bindings: it needs no toolkit and no C++ compiler of the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ratemlx.errors import DeviceError
from ratemlx.resources import INCLUDE
from ratemlx.runtime.devices.cuda_compile import MISSING_HINT, CompilationFailed, DeviceCode

STAND_INS = INCLUDE / "nvrtc"
"""Stand-ins for headers of the host's C library."""
REPORTING = "--ptxas-options=-v"
"""Has ptxas tell registers and spills; the code is the same."""


@dataclass(frozen=True)
class Nvrtc:
    """The library of the toolkit `release`."""

    library: Any
    release: str

    @property
    def version(self) -> str:
        """Its name and version."""
        return f"nvrtc-{self.release}"

    @property
    def settings(self) -> tuple[str, ...]:
        """Nothing else."""
        return ()

    def compile(self, source: Path, options: Sequence[str]) -> DeviceCode:
        """The device code of a source; raises CompilationFailed."""
        folders = (f"-I{INCLUDE}", f"-I{STAND_INS}", f"-I{source.parent}", "-include=prelude.h")
        given = [option.encode() for option in (*options, REPORTING, *folders)]
        program = self._call("CreateProgram", source.read_bytes(), source.name.encode(), 0, [], [])
        try:
            code = self.library.nvrtcCompileProgram(program, len(given), given)[0]
            if code:
                raise CompilationFailed(self._log(program) or self._words(code))
            cubin = bytearray(self._call("GetCUBINSize", program))
            self._call("GetCUBIN", program, cubin)
            return DeviceCode(bytes(cubin), self._log(program))
        finally:
            self.library.nvrtcDestroyProgram(program)

    def _log(self, program: Any) -> str:
        log = bytearray(self._call("GetProgramLogSize", program))
        self._call("GetProgramLog", program, log)
        return log.rstrip(b"\0").decode(errors="replace").strip()

    def _call(self, name: str, *arguments: object) -> Any:
        code, *results = getattr(self.library, f"nvrtc{name}")(*arguments)
        if code:
            raise CompilationFailed(f"nvrtc{name} failed: {self._words(code)}")
        return results[0] if results else None

    def _words(self, code: Any) -> str:
        return str(self.library.nvrtcGetErrorString(code)[1].decode())


@cache
def find_nvrtc() -> Nvrtc:
    """NVRTC, if cuda-bindings and the library are installed; raises DeviceError if not."""
    try:
        from cuda.bindings import nvrtc

        _, major, minor = nvrtc.nvrtcVersion()
    except (ImportError, RuntimeError) as error:
        reason = "cuda-bindings is not installed" if isinstance(error, ImportError) else "its library is not installed"
        raise DeviceError(f"there is no NVRTC: {reason}", MISSING_HINT) from error
    return Nvrtc(nvrtc, f"{major}.{minor}")
