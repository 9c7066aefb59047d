"""Wilson and Cowan's shifted sigmoid: known values and derivatives."""

from __future__ import annotations

import numpy as np

from ratemlx.transfer.evaluate import evaluate
from ratemlx.transfer.registry import builtin_registry


def test_values_and_derivatives() -> None:
    x = np.linspace(-3.0, 9.0, 25)
    values = {"x": x, "amplitude": 2.0, "slope": 1.3, "midpoint": 4.0}
    requests = [("F", ()), ("F", ("x",)), ("F", ("x", "x"))]
    found = evaluate(builtin_registry().get("sigmoid_shifted"), values, requests)
    plain = 1 / (1 + np.exp(-1.3 * (x - 4.0)))
    np.testing.assert_allclose(found[requests[0]], 2 * (plain - 1 / (1 + np.exp(1.3 * 4.0))), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found[requests[1]], 2 * 1.3 * plain * (1 - plain), rtol=1e-10)
    second = 2 * 1.3**2 * plain * (1 - plain) * (1 - 2 * plain)
    np.testing.assert_allclose(found[requests[2]], second, rtol=1e-9, atol=1e-15)


def test_no_input_no_value() -> None:
    values = {"x": 0.0, "slope": 1.2, "midpoint": 2.8}
    assert evaluate(builtin_registry().get("sigmoid_shifted"), values, [("F", ())])["F", ()] == 0.0
