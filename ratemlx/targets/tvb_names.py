"""Names of generated modules for The Virtual Brain: of classes, of attributes, and of variables within functions."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from ratemlx.targets.names import unique_names

IMPORTED = frozenset("Final List Model NArray Range SparseCoupling float64 guvectorize np".split())  # noqa: SIM905
"""What a module imports, besides functions of `math`."""

BASE_ATTRIBUTES = frozenset(
    """
    TYPES_TO_DEEPCOPY configure coupling_terms cvar declarative_attrs declarative_props dfun duplicate gid
    global_parameter_names has_nonint_vars initial initial_for_simulator log nerf_table nintvar nnonintvar noise
    non_integrated_variables number_of_modes nvar observe own_declarative_attrs parameter_names post pre psi_table
    set_title spatial_param_reshape spatial_parameter_matrix spatial_parameter_names state_variable_boundaries
    state_variable_dfuns state_variable_mask state_variable_range state_variables stationary_trajectory stvar
    summary_info tag tags title update_derived_parameters update_state_variables_after_integration
    update_state_variables_before_integration validate variables_of_interest
    """.split()  # noqa: SIM905
)
"""Attributes that TVB's base classes of models and couplings have, or that its simulator looks for."""

_LOCAL = frozenset(
    """
    abs ceil cos cosh erf erfc exp floor inf log max min sin sinh sqrt tan tanh
    coupling derivative gx np parameters pre self state x_i x_j
    """.split()  # noqa: SIM905
) | set(keyword.kwlist)


def class_name(model_name: str) -> str:
    """A model's name in camel case: `adex_first_order` becomes `AdexFirstOrder`."""
    plain = "".join(part[:1].upper() + part[1:] for part in re.split("_+", model_name))
    return f"{plain}Model" if plain in IMPORTED or plain in keyword.kwlist else plain


def attribute_names(names: Iterable[str]) -> dict[str, str]:
    """Attributes of a class for quantities of a model: their own names, unless TVB uses them for something else."""
    known = list(names)
    found = {}
    for name in known:
        chosen = name
        while chosen in BASE_ATTRIBUTES or chosen.startswith("_") or (chosen != name and chosen in known):
            chosen = f"{chosen.lstrip('_')}_" if chosen.strip("_") else "x"
        found[name] = chosen
    return found


def local_names(names: Iterable[str]) -> dict[str, str]:
    """Variables of a function, all different."""
    return unique_names(names, _LOCAL)
