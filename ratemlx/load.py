"""Load a model, shipped or from a file: parsed, checked and ready for the passes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ratemlx.errors import RatemlxError
from ratemlx.ir.build import build_model
from ratemlx.ir.model import Model
from ratemlx.ir.names import did_you_mean
from ratemlx.lems import parse_file
from ratemlx.resources import shipped_models
from ratemlx.transfer.registry import default_registry


def load(model: str | Path, plugins: Sequence[str | Path] = ()) -> Model:
    """The checked model of a shipped name or an XML file, with `plugins` as further transfer-function files.

    Raises ModelError with all faults of the file, PluginError, or RatemlxError where there is no such model.
    """
    registry = default_registry([Path(item) for item in plugins])
    return build_model(parse_file(find_model(model)), registry)


def find_model(model: str | Path) -> Path:
    """The file of a model: the name of a shipped one, or a path; raises RatemlxError where there is none."""
    shipped = shipped_models()
    if str(model) in shipped:
        return shipped[str(model)]
    path = Path(model)
    if path.is_file():
        return path
    if path.suffix == ".xml" or len(path.parts) > 1:
        raise RatemlxError(f"there is no file {path}", did_you_mean(path.stem, shipped))
    hint = did_you_mean(str(model), shipped) or f"shipped models: {', '.join(shipped)}; or give the path of an XML file"
    raise RatemlxError(f"there is no model '{model}'", hint)
