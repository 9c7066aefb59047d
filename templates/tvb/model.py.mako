<%!
from ratemlx.targets.python_text import docstring, string, string_argument, tuple_of
%>\
<%def name="attribute(item)">\
    ${item.name} = NArray(
        label=${string(item.name)},
        default=np.array(${item.default}),
% if item.domain:
        domain=${item.domain},
% endif
        ${string_argument("doc", item.doc, 2)}
    )

</%def>\
<%def name="block(items, indent)">\
% for item in items:
${indent}${item}
% endfor
</%def>\
"""${docstring(m.module_doc, 0)}"""

% if m.function.functions:
from math import ${', '.join(m.function.functions)}

% endif
import numpy as np
from numba import guvectorize
% if m.coupling.functions:
from scipy.special import ${', '.join(m.coupling.functions)}
% endif
from tvb.basic.neotraits.api import Final, List, NArray${', Range' if m.has_domains else ''}
from tvb.simulator.coupling import SparseCoupling
from tvb.simulator.models.base import Model

CONDUCTION_SPEED = ${m.conduction_speed}
"""Along the tracts, mm/ms: the connectivity's `speed` (of the simulator's `conduction_speed` TVB makes no delays)."""


class ${m.class_name}(Model):
    """${docstring(m.model_doc, 1)}"""

% for item in m.attributes:
${attribute(item)}\
% endfor
    state_variables = ${tuple_of(state.name for state in m.states)}
    _nvar = ${len(m.states)}
    cvar = np.array([${', '.join(map(str, m.cvar))}], dtype=np.int32)

    state_variable_range = Final(
        label="State variable ranges [lo, hi]",
        default={
% for state in m.states:
            "${state.name}": np.array([${', '.join(state.start)}]),
% endfor
        },
        doc="Where the state variables start, unless a simulation is given initial conditions.",
    )

% if m.bounded:
    state_variable_boundaries = Final(
        label="State variable boundaries [lo, hi]",
        default={
% for state in m.bounded:
            "${state.name}": np.array([${', '.join(state.bounds)}]),
% endfor
        },
        doc="What the integrator keeps the state variables within.",
    )

% endif
    variables_of_interest = List(
        of=str,
        label="Variables watched by monitors",
        choices=${tuple_of(m.choices)},
        default=${tuple_of(m.watched)},
        doc="State variables, or expressions of them, that monitors record.",
    )

    parameter_names = List(
        of=str,
        label="Attributes in the equations that may have a value per region",
% if len(m.scalars) < 2:
        default=${tuple_of(m.scalars)},
% else:
        default=(
% for name in m.scalars:
            "${name}",
% endfor
        ),
% endif
    )

    def dfun(self, state, coupling, local_coupling=0.0):
        """Time derivatives per ms; arrays have the shape (state variable or coupling term, region, mode)."""
% if m.n_terms > 1:
        if len(coupling) < ${m.n_terms}:
            raise ValueError(f"${m.class_name} needs ${m.n_terms} coupling terms, not {len(coupling)}: use ${m.class_name}Coupling")
% endif
% if m.stimuli:
        if len(coupling) < ${len(m.cvar) + len(m.stimuli)}:
            silent = np.zeros((${len(m.cvar) + len(m.stimuli)} - len(coupling), *coupling.shape[1:]))
            coupling = np.concatenate([coupling, silent])
% endif
        return _derivatives(state.T, coupling.T, self._inputs(${'state.shape[1]' if m.needs_n_node else ''})).T

    def _inputs(self${', n_regions' if m.needs_n_node else ''}):
        """Attributes as a matrix: a row per region, or a single row if none of them varies between regions."""
        scalars = [np.ravel(getattr(self, name)) for name in self.parameter_names]
% if m.needs_n_node:
        scalars.append(np.array([n_regions]))
% endif
        vectors = [${', '.join(f'*np.ravel(self.{name})' for name in m.vectors)}]
        inputs = np.empty((max([1, *map(len, scalars)]), len(scalars) + len(vectors)))
        for place, value in enumerate(scalars + vectors):
            inputs[:, place] = value
        return inputs


@guvectorize(
    ["void(float64[:], float64[:], float64[:], float64[:])"],
    "(states),(terms),(inputs)->(states)",
    nopython=True,
    target="cpu",
    cache=True,
)
def _derivatives(state, coupling, parameters, derivative):
    """Time derivatives of one region."""
${block(m.function.inputs, '    ')}\

${block(m.function.lines, '    ')}\


class ${m.class_name}Coupling(SparseCoupling):
    """${docstring(m.coupling_doc, 1)}"""

% for item in m.coupling.attributes:
${attribute(item)}\
% endfor
% for item in m.stimuli:
${attribute(item)}\
% endfor
    def pre(self, x_i, x_j):
        """What an edge carries, before its weight, from delayed states at its source and states at its target."""
${block(m.coupling.inputs, '        ')}\
        pre = np.zeros(x_j.shape)
${block(m.coupling.pre, '        ')}\
        return pre

    def post(self, gx):
        """The terms, from the weighted sums over edges."""
        coupling = np.zeros(gx.shape)
${block(m.coupling.post, '        ')}\
        return coupling
% if m.stimuli:

    def configure(self):
        """Time courses begin with the first step after this, whatever TVB calls it."""
        super().configure()
        self._first_step = None

    def __call__(self, step, history):
        """The terms, and below them the inputs' values in a step."""
        if self._first_step is None:
            self._first_step = step
        rows = super().__call__(step, history)
        inputs = np.zeros((${len(m.stimuli)}, *rows.shape[1:]))
        for place, course in enumerate([${', '.join(f'self.{item.name}' for item in m.stimuli)}]):
            if step - self._first_step < len(course):
                inputs[place] = np.reshape(course[step - self._first_step], (-1, 1))
        return np.concatenate([rows, inputs])
% endif


def noise_amplitudes(model${', dt' if m.noise.needs_dt else ''}):
    """${docstring(m.noise_doc, 1)}"""
    amplitudes = [np.zeros(1)] * ${len(m.states)}
${block(m.noise.lines, '    ')}\
    rows = np.broadcast_arrays(*map(np.ravel, amplitudes))
    return np.stack(rows) if rows[0].size > 1 else np.concatenate(rows)
