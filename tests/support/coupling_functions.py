"""A model whose couplings use transfer functions, for tests, and in closed form what these carry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TEXT = """
<Lems name="carried">
    <ComponentType name="derivatives">
        <Parameter name="conduction_speed" range="1, 10" default="3"/>
        <Parameter name="gain" range="0, 1" default="0.5"/>
        <Constant name="top" value="3"/>
        <Constant name="steep" value="0.7"/>
        <DerivedParameter name="portion" value="gain / 2"/>
        <TransferFunction name="rate" plugin="sigmoid"><Argument name="x" value="x - y"/></TransferFunction>
        <Exposure name="x" value="x"/>
        <Exposure name="y" value="y"/>
        <Dynamics>
            <StateVariable name="x" initial="0.4"/>
            <StateVariable name="y" initial="-0.3"/>
            <TimeDerivative variable="x" value="rate - x + c_far + c_slope"/>
            <TimeDerivative variable="y" value="x - y + c_near + c_twice"/>
        </Dynamics>
    </ComponentType>
    <ComponentType name="coupling_far">
        <Parameter name="x_j" source="x"/>
        <Parameter name="y_j" source="y"/>
        <DerivedParameter name="c_far" value="gain"/>
        <TransferFunction name="outer" plugin="sigmoid">
            <Argument name="x" value="inner.F - y_j"/><Coefficient name="amplitude" value="top"/>
        </TransferFunction>
        <TransferFunction name="inner" plugin="sigmoid">
            <Argument name="x" value="x_j * portion"/><Coefficient name="slope" value="steep"/>
        </TransferFunction>
        <Dynamics><DerivedVariable name="pre" value="outer + inner * x_j"/></Dynamics>
    </ComponentType>
    <ComponentType name="coupling_near">
        <Parameter name="x_j" source="x"/>
        <Constant name="factor" value="2"/>
        <DerivedParameter name="c_near" value="gain"/>
        <DerivedParameter name="c_twice" value="2 * gain"/>
        <TransferFunction name="between" plugin="sigmoid">
            <Argument name="x" value="x_j - y"/><Coefficient name="slope" value="factor"/>
        </TransferFunction>
        <Dynamics><DerivedVariable name="pre" value="between * diff(between, x)"/></Dynamics>
    </ComponentType>
    <ComponentType name="coupling_slope">
        <Parameter name="x_j" source="x"/>
        <DerivedParameter name="c_slope" value="1"/>
        <TransferFunction name="steepness" plugin="sigmoid"><Argument name="x" value="x_j"/></TransferFunction>
        <Dynamics><DerivedVariable name="pre" value="diff(steepness, x, x)"/></Dynamics>
    </ComponentType>
</Lems>
""".strip()


def sigmoid(x: Array) -> Array:
    """The standard one."""
    return np.asarray(1 / (1 + np.exp(-x)))


def carried(x_j: Array, y_j: Array, y: Array, gain: float = 0.5) -> dict[str, Array]:
    """What an edge carries for each term, in closed form."""
    inner = sigmoid(0.7 * x_j * gain / 2)
    between, steepness = sigmoid(2 * (x_j - y)), sigmoid(x_j)
    near = between * 2 * between * (1 - between)
    return {
        "c_far": 3 * sigmoid(inner - y_j) + inner * x_j,
        "c_near": near,
        "c_twice": near,
        "c_slope": steepness * (1 - steepness) * (1 - 2 * steepness),
    }
