"""What is found while a file is read: faults, and remarks of which each kind is made once a file."""

from __future__ import annotations

from ratemlx.errors import Diagnostic
from ratemlx.lems.legacy import SPELLINGS
from ratemlx.source import Span


class Notes:
    """Collects diagnostics; reading goes on after each."""

    def __init__(self) -> None:
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self._seen: set[str] = set()

    def error(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Note a fault."""
        self.errors.append(Diagnostic(code, message, span, hint))

    def warning(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Note a remark."""
        self.warnings.append(Diagnostic(code, message, span, hint, "warning"))

    def legacy(self, code: str, span: Span | None) -> None:
        """Note one of RateML's spellings, once a file."""
        if code not in self._seen:
            self._seen.add(code)
            message, hint = SPELLINGS[code]
            self.warning(code, message, span, hint)
