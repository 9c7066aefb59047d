"""Load a model, shipped or from a file: parsed, checked and ready for the passes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ratemlx.errors import Diagnostic, ModelError, RatemlxError
from ratemlx.ir.build import build_model
from ratemlx.ir.model import Model
from ratemlx.ir.names import did_you_mean
from ratemlx.lems.parse import Reading, read_file
from ratemlx.resources import shipped_models
from ratemlx.transfer.registry import TransferRegistry, default_registry

OF_EXPRESSIONS = ("syntax", "unknown-name", "scope", "value", "not-a-number", "cycle")
"""Codes of faults that an expression has by itself, whatever else is wrong with the file."""


def load(model: str | Path, plugins: Sequence[str | Path] = ()) -> Model:
    """The checked model of a shipped name or an XML file, with `plugins` as further transfer-function files.

    Raises ModelError with all faults of the file, PluginError, or RatemlxError where there is no such model.
    """
    registry = default_registry([Path(item) for item in plugins])
    return _build(read_file(find_model(model)), registry)


def _build(reading: Reading, registry: TransferRegistry) -> Model:
    """The model of a file; where the file has faults, ModelError with these and the faults of its expressions."""
    if reading.document is None:
        raise ModelError(reading.faults)
    try:
        model = build_model(reading.document, registry)
    except ModelError as error:
        raise ModelError(_together(reading.faults, error.diagnostics)) from None
    if reading.faults:
        raise ModelError(reading.faults)
    return model


def _together(faults: Sequence[Diagnostic], later: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Faults of the file and of its expressions by place, without those that only follow from an earlier one."""
    own = [item for item in later if not faults or (item.code in OF_EXPRESSIONS and not _follows(item, faults))]
    return sorted([*faults, *own], key=lambda fault: fault.span.start if fault.span else -1)


def _follows(item: Diagnostic, faults: Sequence[Diagnostic]) -> bool:
    """Whether something is at fault already at this place, or with this word."""
    places = [fault.span for fault in faults if fault.span]
    return item.span is None or any(
        place.start <= item.span.start <= place.end or place.text == item.span.text for place in places
    )


def _within(folder: Path) -> str:
    """A hint with the model files of a folder."""
    files = [str(path) for path in sorted(folder.glob("*.xml"))[:3]]
    if files:
        return f"did you mean {' or '.join(files)}?"
    return "give an XML file, or a folder that `ratemlx generate` wrote, with a manifest.json in it"


def find_model(model: str | Path) -> Path:
    """The file of a model: the name of a shipped one, or a path; raises RatemlxError where there is none."""
    shipped = shipped_models()
    if str(model) in shipped:
        return shipped[str(model)]
    path = Path(model)
    if path.is_file():
        return path
    if path.is_dir():
        raise RatemlxError(f"{path} is a folder, not a model", _within(path))
    beside = path.with_name(f"{path.name}.xml") if path.name else path
    if beside.is_file():
        raise RatemlxError(f"there is no model '{model}'", f"did you mean the file {beside}?")
    if path.suffix == ".xml" or len(path.parts) > 1:
        raise RatemlxError(f"there is no file {path}", did_you_mean(path.stem, shipped))
    hint = did_you_mean(str(model), shipped) or f"shipped models: {', '.join(shipped)}; or give the path of an XML file"
    raise RatemlxError(f"there is no model '{model}'", hint)
