"""The transfer function of conductance-based AdEx neurons: the rate of a population from the rates of its inputs."""

from __future__ import annotations

import sympy as sp

from ratemlx.transfer.base import Argument, Coefficient, TransferFunction


def _build() -> TransferFunction:
    names = "nu_e nu_i nu_e_ext nu_i_ext W"
    nu_e, nu_i, nu_e_ext, nu_i_ext, adaptation = sp.symbols(names, real=True)
    names = "g_L E_L C_m E_e E_i Q_e Q_i tau_e tau_i N_tot p_connect_e p_connect_i g K_ext_e K_ext_i nu_0"
    g_l, e_l, c_m, e_e, e_i, q_e, q_i, tau_e, tau_i, n_tot, p_e, p_i, g, k_e, k_i, nu_0 = sp.symbols(names, real=True)
    p = sp.symbols("P[0:10]", real=True)
    statements: list[tuple[str, sp.Expr]] = []

    def let(name: str, expression: sp.Expr) -> sp.Symbol:
        statements.append((name, expression))
        return sp.Symbol(name, real=True)

    # Presynaptic rates of all excitatory and all inhibitory synapses of a neuron.
    f_e = let("f_e", (nu_e + nu_0) * ((1 - g) * p_e * n_tot) + nu_e_ext * k_e)
    f_i = let("f_i", (nu_i + nu_0) * (g * p_i * n_tot) + nu_i_ext * k_i)
    # Mean conductances, mean membrane potential (di Volo et al. 2019, Eqs. 5-7).
    mu_ge = let("mu_Ge", q_e * tau_e * f_e)
    mu_gi = let("mu_Gi", q_i * tau_i * f_i)
    mu_g = let("mu_G", g_l + mu_ge + mu_gi)
    resistance = let("R", 1 / mu_g)
    mu_v = let("mu_V", (mu_ge * e_e + mu_gi * e_i + g_l * e_l - adaptation) * resistance)
    # Fluctuations (Eqs. 8-9). With U = Q R (E - mu_V), the variance of mu_V that one kind of synapse causes is
    # f (U tau)^2 / (2 (tau + T_m)) = mu_G Q tau (E - mu_V)^2 R^2 / (2 (tau + T_m)).
    t_m = let("T_m", c_m * resistance)
    memory_e = let("memory_e", tau_e + t_m)
    memory_i = let("memory_i", tau_i + t_m)
    filter_e = let("filter_e", 1 / memory_e)
    filter_i = let("filter_i", 1 / memory_i)
    gain_e = let("gain_e", resistance**2 * filter_e)
    gain_i = let("gain_i", resistance**2 * filter_i)
    drive_e = let("drive_e", q_e * tau_e * mu_ge * (e_e - mu_v) ** 2)
    drive_i = let("drive_i", q_i * tau_i * mu_gi * (e_i - mu_v) ** 2)
    power = let("power", gain_e * drive_e + gain_i * drive_i)
    spread = let("spread", sp.sqrt(power))
    sigma_v = let("sigma_V", spread / sp.sqrt(2))
    # Eq. 9 is the mean of tau + T_m weighted by power. Written as a deviation from one of the two it keeps its
    # accuracy where one population dominates, and costs nothing where both time constants are equal.
    t_v = let("T_V", memory_e + (tau_i - tau_e) * (gain_i * drive_i / power))
    # Effective threshold (Eq. 11), a polynomial in normalised mu_V, sigma_V and T_V; P in V, threshold in mV.
    v = let("V", (mu_v + 60) / 10)
    s = let("S", (sigma_v - 4) / 6)
    t = let("T", t_v * (g_l / c_m) - sp.Rational(1, 2))
    linear = p[0] + p[1] * v + p[2] * s + p[3] * t
    quadratic = p[4] * v**2 + p[5] * s**2 + p[6] * t**2 + p[7] * v * s + p[8] * v * t + p[9] * s * t
    v_thre = let("V_thre", 1000 * (linear + quadratic))
    # Output rate (Eq. 10).
    gap = let("gap", v_thre - mu_v)
    inverse = let("inverse", 1 / spread)
    distance = let("distance", gap * inverse)
    tail = let("tail", sp.erfc(distance))
    rate = let("rate", 1 / t_v)
    let("F", tail * rate / 2)

    return TransferFunction(
        name="zerlaut",
        arguments=(
            Argument("nu_e", "kHz", "Rate of the excitatory population"),
            Argument("nu_i", "kHz", "Rate of the inhibitory population"),
            Argument("nu_e_ext", "kHz", "Rate of external excitatory input"),
            Argument("nu_i_ext", "kHz", "Rate of external inhibitory input"),
            Argument("W", "pA", "Adaptation current"),
        ),
        coefficients=(
            Coefficient("g_L", "nS", 10.0, description="Leak conductance"),
            Coefficient("E_L", "mV", -65.0, description="Leak reversal potential"),
            Coefficient("C_m", "pF", 200.0, description="Membrane capacitance"),
            Coefficient("E_e", "mV", 0.0, description="Excitatory reversal potential"),
            Coefficient("E_i", "mV", -80.0, description="Inhibitory reversal potential"),
            Coefficient("Q_e", "nS", 1.5, description="Excitatory quantal conductance"),
            Coefficient("Q_i", "nS", 5.0, description="Inhibitory quantal conductance"),
            Coefficient("tau_e", "ms", 5.0, description="Decay of excitatory synapses"),
            Coefficient("tau_i", "ms", 5.0, description="Decay of inhibitory synapses"),
            Coefficient("N_tot", "1", 10000.0, description="Number of neurons"),
            Coefficient("p_connect_e", "1", 0.05, description="Probability of an excitatory connection"),
            Coefficient("p_connect_i", "1", 0.05, description="Probability of an inhibitory connection"),
            Coefficient("g", "1", 0.2, description="Share of inhibitory neurons"),
            Coefficient("K_ext_e", "1", 400.0, description="External excitatory connections of a neuron"),
            Coefficient("K_ext_i", "1", 0.0, description="External inhibitory connections of a neuron"),
            Coefficient("nu_0", "kHz", 1e-6, description="Spontaneous release, added to both rates"),
            Coefficient("P", "V", None, 10, "Threshold polynomial: 1, V, S, T, V^2, S^2, T^2, VS, VT, ST"),
        ),
        statements=tuple(statements),
        outputs=(("F", "kHz"), ("mu_V", "mV"), ("sigma_V", "mV"), ("T_V", "ms"), ("V_thre", "mV")),
        description="Firing rate of conductance-based AdEx neurons from the statistics of their membrane potential",
        reference="Zerlaut et al. 2018, J. Comput. Neurosci. 44:45; di Volo et al. 2019, Neural Comput. 31:653",
    )


FUNCTION = _build()
