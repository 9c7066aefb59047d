"""Every model that tvb-library has too, against its class: equal parameters, networks, states and histories."""

from __future__ import annotations

import pytest

from ratemlx.abi import Integrator, Manifest
from ratemlx.bench.compare import GOAL, compare
from ratemlx.bench.counterparts import COUNTERPARTS
from ratemlx.bench.tvb import tvb_defaults
from ratemlx.cli import main
from tests.support.shipped import GENERATED

pytestmark = [pytest.mark.tvb, pytest.mark.filterwarnings("ignore")]

SINGLE_PRECISION = 5e-5
"""What tvb-library's float32 weights and history do in 20 ms, at most (Epileptor, whose dynamics amplify it)."""

ELSEWHERE = {
    "adex": {
        # The paper's drives and adaptation instead of tvb-library's, which has a g_L of its own for neither.
        "external_input_ex_ex": 0.0,
        "external_input_in_ex": 0.0,
        "weight_noise": 10.5,
        "global_coupling": 0.00390625,
    },
}
DEFAULTS = {
    # tvb-library's couplings are meant for weights that are not normalised, ours for weights of sum 1.
    "global_coupling": "other weights",
}


def folder_of(model: str):  # noqa: ANN201
    return GENERATED / model / "cpp"
