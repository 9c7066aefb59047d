"""From a checked model to the files of a kernel target: run the passes, print, fill the templates."""

from __future__ import annotations

from functools import cache
from typing import Literal

from mako.lookup import TemplateLookup

from ratemlx import resources
from ratemlx.abi import DRIVER_NAME, MANIFEST_NAME
from ratemlx.errors import RatemlxError
from ratemlx.ir.model import Model
from ratemlx.passes.pipeline import lower
from ratemlx.targets.kernel_text import kernel_text
from ratemlx.targets.manifest import build_manifest


@cache
def lookup() -> TemplateLookup:
    """The project's templates; a name that a template does not get is an error, never an empty string."""
    return TemplateLookup([str(resources.templates())], strict_undefined=True, input_encoding="utf-8")


MOST_EXPOSURES = 64
MOST_NOISES = 256


def _check_limits(model: Model) -> None:
    """What a kernel's masks and counters have room for; raises RatemlxError."""
    for what, count, most in (
        ("exposures", len(model.exposures), MOST_EXPOSURES),
        ("noise sources", len(model.noises), MOST_NOISES),
    ):
        if count > most:
            raise RatemlxError(f"model {model.name} has {count} {what}; a kernel has room for {most}")


def render_kernel(model: Model, target: Literal["cpp", "cuda"], template: str, suffix: str) -> dict[str, str]:
    """Kernel source, driver and manifest of a model, by file name."""
    _check_limits(model)
    program = lower(model)
    manifest = build_manifest(program, target, model.name + suffix)
    kernel = lookup().get_template(template).render(k=kernel_text(program))
    driver = lookup().get_template("/driver/driver.py.mako").render(manifest=manifest)
    return {manifest.kernel: str(kernel), DRIVER_NAME: str(driver), MANIFEST_NAME: manifest.to_json()}
