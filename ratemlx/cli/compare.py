"""`ratemlx compare`: how far models are from tvb-library's classes of the same models."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ratemlx.abi import Integrator
    from ratemlx.bench.compare import Comparison

HEADERS = (
    "model",
    "class in tvb-library",
    "regions",
    "integrator",
    "ms",
    "float32 history",
    "float64 history",
    "moved",
)


def compare(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="Shipped names; all with a counterpart if none.")
    ] = None,
    duration: Annotated[float, typer.Option(metavar="MS", help="Simulated time.", min=1)] = 500.0,
    connectome: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Connectome; tvb:68 and tvb:76 if left out. Repeatable.")
    ] = None,
    integrator: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="euler or heun; both if left out. Repeatable.")
    ] = None,
) -> None:
    """Compare models with tvb-library.

    Both run the same networks without noise, in float64, from equal states and histories. Printed is the greatest
    difference of any state of any region at any step, over the range of the state: from tvb-library as it is, with
    weights and history in float32; and from the same with both in float64. Where the latter is above 1e-8, the last
    column has tvb-library's distance from itself with its start moved by 1e-10.

    \b
    Examples:
      ratemlx compare
      ratemlx compare montbrio epileptor --duration 100 --connectome tvb:68 --integrator heun
    """
    from ratemlx.cli.tables import print_table

    cases = list(product(_known(models or []), connectome or ["tvb:68", "tvb:76"], _integrators(integrator or [])))
    print_table(HEADERS, [_row(item) for item in _comparisons(cases, duration)])


def _known(models: list[str]) -> list[str]:
    from ratemlx.bench.counterparts import COUNTERPARTS
    from ratemlx.errors import RatemlxError
    from ratemlx.lems.quoting import did_you_mean

    for name in models:
        if name not in COUNTERPARTS:
            raise RatemlxError(f"tvb-library has no class of {name!r}", did_you_mean(name, COUNTERPARTS))
    return models or list(COUNTERPARTS)


def _integrators(names: list[str]) -> list[Integrator]:
    from ratemlx.bench.tvb import INTEGRATORS
    from ratemlx.errors import SweepError

    for name in names:
        if name not in INTEGRATORS:
            raise SweepError(f"tvb-library is not compared by {name!r}", f"by {' and '.join(INTEGRATORS)}")
    return [item for item in INTEGRATORS if not names or item in names]


def _comparisons(cases: list[tuple[str, str, Integrator]], duration: float) -> Iterator[Comparison]:
    from ratemlx.bench.compare import compare
    from ratemlx.errors import DeviceError
    from ratemlx.simulate import generated_folder

    for number, (model, connectome, integrator) in enumerate(cases, 1):
        if sys.stderr.isatty():
            print(f"{number} of {len(cases)}: {model}, {connectome}, {integrator}", file=sys.stderr)
        try:
            yield compare(model, generated_folder(model), connectome, integrator, duration)
        except ImportError as error:
            raise DeviceError("tvb-library is not installed", "pip install tvb-library") from error


def _row(item: Comparison) -> tuple[str, ...]:
    moved = "" if item.moved is None else f"{item.moved:.1e}"
    differences = (f"{item.stock:.1e}", f"{item.precise:.1e}", moved)
    return (item.model, item.tvb_class, str(item.n_regions), item.integrator, f"{item.duration:g}", *differences)
