"""Zerlaut's transfer functions as a compiled model: parameters are the arguments, exposures the results.

Each result is the slope of a state that starts at zero: after one step of 1 ms the state is the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ratemlx.abi import Manifest
from ratemlx.runtime import Connectome, RunSpec, run
from ratemlx.simulate import generated_folder
from tests.support.shipped import GENERATED, series_of

ARGUMENTS = {"nu_e": "fe", "nu_i": "fi", "nu_e_ext": "fe_ext", "nu_i_ext": "fi_ext", "W": "W"}
"""Arguments of the function and their names in the reference data."""
RESULTS = {
    "F": "{f}",
    "dF_dfe": "diff({f}, nu_e)",
    "dF_dfi": "diff({f}, nu_i)",
    "d2F_dfe2": "diff({f}, nu_e, nu_e)",
    "d2F_dfedfi": "diff({f}, nu_e, nu_i)",
    "d2F_dfi2": "diff({f}, nu_i, nu_i)",
}
"""Results by their names in the reference data."""
POINT = Connectome(np.zeros((1, 1)), np.zeros((1, 1)))


def transfer_model(folder: Path) -> Path:
    """An XML file whose exposures are the values and derivatives for both populations (e_F, i_dF_dfe, ...)."""
    values = {item.name: item.value for item in Manifest.load(GENERATED / "adex" / "cpp").constants}
    parameters = "".join(f'<Parameter name="{name}" range="0, 1" default="0.01"/>' for name in ARGUMENTS)
    arguments = "".join(f'<Argument name="{name}" value="{name}"/>' for name in ARGUMENTS)
    functions = exposures = states = slopes = ""
    for population in "ei":
        polynomial = ", ".join(repr(values[f"P_{population}[{index}]"]) for index in range(10))
        functions += (
            f'<Constant name="P_{population}" value="{polynomial}"/>'
            f'<TransferFunction name="F_{population}" plugin="zerlaut">{arguments}'
            f'<Coefficient name="E_L" value="{values[f"E_L_{population}"]}"/>'
            f'<Coefficient name="P" value="P_{population}"/></TransferFunction>'
        )
        for name, text in RESULTS.items():
            state = f"x_{population}_{name}"
            exposures += f'<Exposure name="{population}_{name}" value="{state}"/>'
            states += f'<StateVariable name="{state}" initial="0"/>'
            slopes += f'<TimeDerivative variable="{state}" value="{text.format(f=f"F_{population}")}"/>'
    file = folder / "transfer.xml"
    file.write_text(
        '<Lems name="transfer"><ComponentType name="derivatives">'
        f"{parameters}{functions}{exposures}"
        f"<Dynamics>{states}{slopes}</Dynamics></ComponentType></Lems>",
        encoding="utf-8",
    )
    return file


def evaluate(
    model: Path, columns: Mapping[str, NDArray[np.float64]], target: str, precision: str
) -> dict[str, NDArray[np.float64]]:
    """Results of the compiled functions at points (columns by the reference data's names), in float64."""
    result = run(
        RunSpec(
            folder=generated_folder(model, target),
            device=target,
            precision=precision,
            samples={name: columns[key].tolist() for name, key in ARGUMENTS.items()},
            connectome=POINT,
            duration=1.0,
            dt=1.0,
            period=1.0,
            threads=1,
        )
    )
    series = series_of(result)[:, :, 0, 0].astype(np.float64)
    return dict(zip(result.time_series.exposure.values.tolist(), series.T, strict=True))
