"""Other simulators' speed on the same work, where they are installed: tvbk and cuBNM.

Each has its own model and its own way to be called; what is equal is the network's size, its delays, the step, and that
noise is on. The one module that imports them.
"""

from __future__ import annotations

import time
from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from ratemlx.runtime import Connectome
from ratemlx.runtime.edges import delays, edges

LANES = 8
"""Instances that tvbk advances together."""


def tvbk_rate(connectome: Connectome, *, dt: float, speed: float, instances: int, steps: int) -> float:
    """Node-steps per second of tvbk's fused Heun step of the Montbrio model, on one core; raises ImportError."""
    import tvbk

    links = edges(connectome)
    steps_late = delays(links, speed, dt)
    rows = 1 << int(steps_late.max() + 1).bit_length()
    nodes, batches = connectome.n_regions, -(-instances // LANES)
    network = tvbk.Conn(nodes, len(links))
    network.weights[:] = 0.1 * links.weight
    network.indices[:] = links.source
    network.indptr[:] = links.begin
    network.idelays[:] = steps_late
    history = tvbk.Cx8s(nodes, rows, batches)
    history.buf[:] = 0.1
    state = np.zeros((batches, 2, nodes, LANES), np.float32)
    state[:, 0], state[:, 1] = 0.1, -2.0
    means, noise = np.zeros_like(state), np.zeros((batches, 2, LANES), np.float32)
    values = np.array([1.0, 0.0, 1.0, 15.0, -5.0, 1.0], np.float32)  # tau, I, Delta, J, eta, cr
    parameters = np.ascontiguousarray(np.broadcast_to(values[:, None], (batches, nodes, 6, LANES)))
    seeds = np.random.default_rng(1).integers(1, 2**63, (batches, LANES, 4), dtype=np.uint64)

    def advance(first: int, count: int) -> float:
        started = time.perf_counter()
        for begin in range(first, first + count, 10):  # a call per sample of ten steps
            tvbk.step_mpr(history, network, state, means, noise, parameters, begin, 10, dt, seeds)
        return time.perf_counter() - started

    advance(0, 200)
    seconds = advance(200, steps)
    return batches * LANES * nodes * steps / seconds


def cubnm_rate(weights: Connectome, *, instances: int, seconds: float = 10.0, on_gpu: bool = False) -> float:
    """Node-steps per second of cuBNM's reduced Wong-Wang (Deco 2014) without delays, float64, on one core or a GPU.

    cuBNM's step is 0.1 ms; its BOLD signal is included, without which it does not run. Raises ImportError.
    """
    from cubnm import sim

    nodes = weights.n_regions
    where = {"force_gpu": True} if on_gpu else {"force_cpu": True}
    group = sim.rWWSimGroup(
        duration=seconds, TR=1, sc=weights.weights, **where, do_fc=False, do_fcd=False, gof_terms=[]
    )
    group.N = instances
    group.param_lists["G"] = np.full(instances, 0.5)
    for name, value in {"w_p": 1.4, "J_N": 0.15, "wIE": 1.0, "sigma": 0.01}.items():
        group.param_lists[name] = np.full((instances, nodes), value)
    with redirect_stdout(StringIO()):
        started = time.perf_counter()
        group.run()
        elapsed = time.perf_counter() - started
    return instances * nodes * seconds * 1000 / 0.1 / elapsed
