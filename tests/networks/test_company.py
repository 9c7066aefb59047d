"""What a neighbour in the same tile must not do, and exposures and tiles at the edges of what masks can hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ratemlx.runtime import RunSpec, run
from ratemlx.simulate import generated_folder

SHORT = {"duration": 50.0, "connectome": "tvb:66", "threads": 1}


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_wild_neighbour_leaves_phases_alone(precision: str) -> None:
    """Phases that run far away need a slower reduction, in their own lane only."""
    folder = generated_folder("kuramoto")
    more = {"folder": folder, "precision": precision, **SHORT}
    together = run(RunSpec(sweep={"sigma": np.array([0.01, 1e5, 0.01, 3.0])}, **more)).time_series.values
    for place, sigma in enumerate((0.01, 1e5, 0.01, 3.0)):
        alone = run(RunSpec(sweep={"sigma": np.array([sigma])}, **more)).time_series.values
        assert together[place].tobytes() == alone[0].tobytes()


def test_a_diverged_neighbour_leaves_phases_alone() -> None:
    folder = generated_folder("kuramoto")
    more = {"folder": folder, **SHORT}
    both = run(RunSpec(sweep={"sigma": np.array([0.01, 1e38])}, **more))
    assert [str(item) for item in both.status.values] == ["ok", "diverged"]
    alone = run(RunSpec(sweep={"sigma": np.array([0.01])}, **more))
    assert both.time_series.values[0].tobytes() == alone.time_series.values[0].tobytes()


@pytest.mark.parametrize("lanes", [1, 2, 4, 16])
def test_divergence_is_seen_in_tiles_of_any_size(lanes: int) -> None:
    spec = RunSpec(folder=generated_folder("montbrio"), lanes=lanes, initial={"V": 1e30}, noise=False, **SHORT)
    assert [str(item) for item in run(spec).status.values] == ["diverged"]


@pytest.mark.parametrize("target", ["cpu", "cuda-emulation"])
def test_every_one_of_many_exposures_is_kept(target: str, tmp_path: Path) -> None:
    exposures = "".join(f'<Exposure name="e{place}" value="x * {place + 1}"/>' for place in range(40))
    path = tmp_path / "many.xml"
    path.write_text(
        f"""<Lems name="many"><ComponentType name="derivatives"><Parameter name="a" default="1"/>{exposures}
        <Dynamics><StateVariable name="x" initial="2"/><TimeDerivative variable="x" value="0 * a"/></Dynamics>
        </ComponentType></Lems>""",
        encoding="utf-8",
    )
    folder = generated_folder(path, target)
    more = {"folder": folder, "device": target, "duration": 2.0, "connectome": "tvb:66"}
    values = run(RunSpec(**more)).time_series.values
    np.testing.assert_array_equal(values[0, :, 0, 0], 2.0 * np.arange(1, 41))
    chosen = run(RunSpec(observe=("e35", "e3"), **more)).time_series
    assert sorted(chosen.sel(exposure="e35").values.ravel()) == [72.0] * 132
