## The body that both kernels share. Blocks are filled by cpp/kernel.cpp.mako and cuda/kernel.cu.mako; every formula
## arrives printed in `k` (ratemlx.targets.kernel_text.KernelText).
<%block name="preamble"/>
<%def name="statements(lines)">\
% for line in lines:
% if line.heading:
    // ${line.heading}
% endif
    const ${line.type} ${line.name} = ${line.text};
% endfor
</%def>\
<%def name="inputs(variables, array)">\
% for variable in variables:
    const real ${variable.name} = ${array}[${variable.index}];
% endfor
</%def>\
<%def name="results(values, array)">\
% for value in values:
    ${array}[${value.index}] = ${value.text};
% endfor
</%def>\

#ifndef RATEMLX_OBSERVE
#define RATEMLX_OBSERVE ${k.observe_all}
#endif

// --- constants; -D${k.macro_prefix}NAME=VALUE compiles another value in ${'-' * 50}
% for constant in k.constants:
#ifndef ${constant.macro}
#define ${constant.macro} ${constant.value}
#endif
% endfor
% if k.folded:
// Shaped the arithmetic below, so that another value needs another kernel:
% for line in k.folded:
//   ${line}
% endfor
% endif

namespace ${k.namespace} {

enum {
    N_STATES = ${k.n_states},
    N_PARAMETERS = ${k.n_parameters},
    N_TERMS = ${k.n_terms},        // coupling terms
    N_CHANNELS = ${k.n_channels},     // quantities with a history
    N_EXPOSURES = ${k.n_exposures},
    N_NOISES = ${k.n_noises},
    N_INPUTS = ${k.n_inputs},      // what stimuli drive
    N_OBSERVED = __builtin_popcountll(RATEMLX_OBSERVE)
};

% for constant in k.constants:
constexpr scalar ${constant.name} = R(${constant.macro});${constant.comment}
% endfor
% for line in k.constant_lines:
constexpr scalar ${line.name} = ${line.text};
% endfor

// What parameters, constants and dt decide, once per instance (and region, where parameters vary between regions).
struct Fixed {
% for name in k.fields:
    real ${name};
% endfor
};

#if RATEMLX_REGIONAL
#define RATEMLX_IN_REGION(parameter) regional[(parameter) * n_nodes]
#else
#define RATEMLX_IN_REGION(parameter) R(1.0)
#endif

RATEMLX_INLINE Fixed prepare(const scalar *parameters, const scalar *regional, int n_nodes, scalar dt)
{
    const scalar n_node = (scalar)n_nodes;
% for parameter in k.parameters:
    const real ${parameter.name} = load(parameters + ${parameter.index} * LANES) * RATEMLX_IN_REGION(${parameter.index});${parameter.comment}
% endfor
${statements(k.prepare)}\
    (void)parameters, (void)regional, (void)dt, (void)n_node;
    return Fixed{${', '.join(k.fields)}};
}

// What other regions will read from this region's history.
RATEMLX_INLINE void channels(const Fixed &fixed, const real *state, real *channel)
{
${inputs(k.channels.inputs, 'state')}\
${statements(k.channels.lines)}\
${results(k.channels.results, 'channel')}\
    (void)fixed, (void)state, (void)channel;
}

% if k.edges:
// What one edge adds to each coupling term, before its weight.
RATEMLX_INLINE void edge(const Fixed &fixed, const real *state, const real *channel, real *term)
{
${inputs(k.edges.inputs, 'state')}\
${inputs(k.edges.more_inputs, 'channel')}\
${statements(k.edges.lines)}\
${results(k.edges.results, 'term')}\
    (void)fixed, (void)state, (void)channel;
}

% endif
// From the weighted sums over edges to the coupling terms.
RATEMLX_INLINE void couple(const Fixed &fixed, const real *state, const real *total, real *coupling)
{
${inputs(k.couple.inputs, 'total')}\
${inputs(k.couple.more_inputs, 'state')}\
${statements(k.couple.lines)}\
${results(k.couple.results, 'coupling')}\
    (void)fixed, (void)state, (void)total, (void)coupling;
}

// Time derivatives of the states, per ms.
RATEMLX_INLINE void derivatives(const Fixed &fixed, const real *state, const real *coupling, const real *input,
                                real *derivative)
{
${inputs(k.derivatives.inputs, 'state')}\
${inputs(k.derivatives.more_inputs, 'coupling')}\
${inputs(k.stimulated, 'input')}\
${statements(k.derivatives.lines)}\
${results(k.derivatives.results, 'derivative')}\
    (void)fixed, (void)state, (void)coupling, (void)input;
}

// Bounds of the states. A value that is not a number stays one.
RATEMLX_INLINE void limit(real *state)
{
% for bound in k.bounds:
    state[${bound.index}] = ${bound.text};
% endfor
    (void)state;
}

// One step of the deterministic part; coupling and inputs are held over the step.
RATEMLX_INLINE void integrate(const Fixed &fixed, const real *coupling, const real *input, scalar dt, real *state)
{
    real slope[N_STATES];
    derivatives(fixed, state, coupling, input, slope);
#if RATEMLX_INTEGRATOR == 0  // Euler
    for (int i = 0; i < N_STATES; ++i) state[i] = state[i] + slope[i] * dt;
#else
    real trial[N_STATES], next[N_STATES];
#if RATEMLX_INTEGRATOR == 1  // Heun
    for (int i = 0; i < N_STATES; ++i) trial[i] = state[i] + slope[i] * dt;
    limit(trial);
    derivatives(fixed, trial, coupling, input, next);
    for (int i = 0; i < N_STATES; ++i) state[i] = state[i] + (slope[i] + next[i]) * (dt * R(0.5));
#else  // classical Runge-Kutta of fourth order
    const scalar step[3] = {dt * R(0.5), dt * R(0.5), dt};
    for (int i = 0; i < N_STATES; ++i) next[i] = slope[i];
    for (int stage = 0; stage < 3; ++stage) {
        for (int i = 0; i < N_STATES; ++i) trial[i] = state[i] + slope[i] * step[stage];
        limit(trial);
        derivatives(fixed, trial, coupling, input, slope);
        for (int i = 0; i < N_STATES; ++i) next[i] = next[i] + slope[i] * (stage < 2 ? R(2.0) : R(1.0));
    }
    for (int i = 0; i < N_STATES; ++i) state[i] = state[i] + next[i] * (dt / R(6.0));
#endif
#endif
}

// What is left of a step's noise without its random part: Ornstein-Uhlenbeck processes go back to their means.
RATEMLX_INLINE void relax(const Fixed &fixed, real *state)
{
% for process in k.processes:
    state[${process.index}] = ${process.text};
% endfor
    (void)fixed, (void)state;
}

// Noise of one step, after the deterministic part.
RATEMLX_INLINE void add_noise(const Fixed &fixed, const real normals[][4], int step, real *state)
{
% for noise in k.noises:
    state[${noise.index}] = ${noise.text};  // ${noise.comment}
% endfor
    (void)fixed, (void)normals, (void)step, (void)state;
}

// Adds the observed exposures of one step to their running sums.
RATEMLX_INLINE void observe(const Fixed &fixed, const real *state, real *sum)
{
${inputs(k.observe.inputs, 'state')}\
${statements(k.observe.lines)}\
% for value in k.observe.results:
    if (RATEMLX_OBSERVE >> ${value.index} & 1)
        sum[__builtin_popcountll(RATEMLX_OBSERVE & ((1ull << ${value.index}) - 1))] += ${value.text};  // ${value.name}
% endfor
    (void)fixed, (void)state, (void)sum;
}

}  // namespace ${k.namespace}

using namespace ${k.namespace};

// The ring of a channel in the first region of a tile; those of the other regions follow it.
RATEMLX_INLINE stored *rings_of(const ratemlx_batch &batch, int tile, int channel, int lane)
{
    const int64_t first = ((int64_t)tile * N_CHANNELS + channel) * batch.n_nodes;
    return batch.history + first * (batch.ring_rows + RATEMLX_BLOCK) * LANES + lane;
}

// Where a region's values `delay` steps before `row` begin among the rings of a channel; those of later rows follow.
RATEMLX_INLINE const stored *past(const ratemlx_batch &batch, const stored *rings, int node, int row, int delay)
{
    const int at = row - delay < 0 ? row - delay + batch.ring_rows : row - delay;
    return rings + ((uint64_t)(uint32_t)node * (uint32_t)(batch.ring_rows + RATEMLX_BLOCK) + (uint32_t)at) * LANES;
}

// Writes the channels of one region into a row; rows at the ring's beginning stand again after its end.
RATEMLX_INLINE void publish(const ratemlx_batch &batch, int tile, int node, int lane, int row, const real *channel)
{
    for (int i = 0; i < N_CHANNELS; ++i) {
        stored *ring = rings_of(batch, tile, i, lane) + (int64_t)node * (batch.ring_rows + RATEMLX_BLOCK) * LANES;
        keep(ring + (int64_t)row * LANES, channel[i]);
        if (row < RATEMLX_BLOCK) keep(ring + (int64_t)(row + batch.ring_rows) * LANES, channel[i]);
    }
}

// Fills a region's history with its first state.
RATEMLX_FUNCTION void start_node(const ratemlx_batch &batch, int tile, int node, int lane)
{
    const Fixed fixed = prepare(batch.parameters + (int64_t)tile * N_PARAMETERS * LANES + lane, batch.regional + node,
                                batch.n_nodes, (scalar)batch.dt);
    real state[N_STATES], channel[N_CHANNELS + 1];
    for (int i = 0; i < N_STATES; ++i)
        state[i] = load(batch.state + (((int64_t)tile * N_STATES + i) * batch.n_nodes + node) * LANES + lane);
    channels(fixed, state, channel);
    for (int row = 0; row < batch.ring_rows; ++row) publish(batch, tile, node, lane, row, channel);
}

// Advances one region of one tile by at most RATEMLX_BLOCK steps. Every delayed value that these steps need is known
// before the first of them, because RATEMLX_BLOCK is at most the smallest delay between regions plus one.
RATEMLX_FUNCTION void advance_node(const ratemlx_batch &batch, int tile, int node, int lane, int first_step, int n_steps)
{
    const Fixed fixed = prepare(batch.parameters + (int64_t)tile * N_PARAMETERS * LANES + lane, batch.regional + node,
                                batch.n_nodes, (scalar)batch.dt);
    const scalar dt = (scalar)batch.dt;
    const int row = first_step % batch.ring_rows;
    const int first_edge = batch.edge_begin[node], last_edge = batch.edge_begin[node + 1];
% if not k.edges:
    const int first_own = batch.own_begin[node], last_own = batch.own_begin[node + 1];
% endif

    real state[N_STATES];
    scalar *const own = batch.state + ((int64_t)tile * N_STATES * batch.n_nodes + node) * LANES + lane;
    for (int i = 0; i < N_STATES; ++i) state[i] = load(own + (int64_t)i * batch.n_nodes * LANES);

    real sum[N_OBSERVED + 1];
    scalar *const sums = batch.sums + ((int64_t)tile * N_OBSERVED * batch.n_nodes + node) * LANES + lane;
    for (int i = 0; i < N_OBSERVED; ++i) sum[i] = load(sums + (int64_t)i * batch.n_nodes * LANES);
    int in_sample = first_step % batch.steps_per_sample;
    int sample = first_step / batch.steps_per_sample - batch.first_sample;

% if not k.edges:
    // Coupling of the whole block, gathered at once: the sum stays in registers while the edges pass by. The shortest
    // of rings says that no tract has a delay.
    const bool delayed = RATEMLX_BLOCK > 1 || batch.ring_rows > 2;
    BlockValues<N_TERMS * RATEMLX_BLOCK> totals;
    for (int term = 0; term < N_TERMS; ++term) {
        real total[RATEMLX_BLOCK];
        RATEMLX_UNROLL
        for (int b = 0; b < RATEMLX_BLOCK; ++b) total[b] = splat(R(0.0));
        const stored *rings = rings_of(batch, tile, term, lane);
        RATEMLX_HOLD(rings);
        if (delayed)
            for (int e = first_edge; e < last_edge; ++e) {
                const stored *from = past(batch, rings, batch.edge_source[e], row, batch.edge_delay[e]);
                const scalar weight = batch.edge_weight[e];
                RATEMLX_UNROLL
                for (int b = 0; b < RATEMLX_BLOCK; ++b) total[b] = total[b] + recall(from + b * LANES) * weight;
            }
        else
            for (int e = first_edge; e < last_edge; ++e)
                total[0] = total[0] + recall(past(batch, rings, batch.edge_source[e], row, 0)) * batch.edge_weight[e];
        RATEMLX_UNROLL
        for (int b = 0; b < RATEMLX_BLOCK; ++b) totals.put(term * RATEMLX_BLOCK + b, total[b]);
    }

% endif
#if RATEMLX_NOISE
    const uint32_t *const identity = batch.identity + (int64_t)tile * 2 * LANES + lane;
#if RATEMLX_COMMON_NOISE
    const word name_low = word_of(0), name_high = word_of(0);
#else
    const word name_low = load_words(identity), name_high = load_words(identity + LANES);
#endif
    real normals[N_NOISES][4];
#endif

% if k.edges:
    const stored *rings[N_CHANNELS + 1];
    for (int i = 0; i < N_CHANNELS; ++i) {
        rings[i] = rings_of(batch, tile, i, lane);
        RATEMLX_HOLD(rings[i]);
    }

% endif
    RATEMLX_NO_UNROLL
    for (int b = 0; b < n_steps; ++b) {
        const int step = first_step + b;
        real total[N_TERMS + 1], coupling[N_TERMS + 1];
% if k.edges:
        // The coupling looks at its target's state, so it is gathered step by step.
        for (int i = 0; i < N_TERMS; ++i) total[i] = splat(R(0.0));
        for (int e = first_edge; e < last_edge; ++e) {
            real channel[N_CHANNELS + 1], term[N_TERMS + 1];
            for (int i = 0; i < N_CHANNELS; ++i)
                channel[i] = recall(past(batch, rings[i], batch.edge_source[e], row, batch.edge_delay[e]) + b * LANES);
            edge(fixed, state, channel, term);
            for (int i = 0; i < N_TERMS; ++i) total[i] = total[i] + term[i] * batch.edge_weight[e];
        }
% else:
        for (int i = 0; i < N_TERMS; ++i) {
            total[i] = totals.get(i * RATEMLX_BLOCK + b);
            for (int e = first_own; e < last_own; ++e)
                total[i] = total[i] + recall(past(batch, rings_of(batch, tile, i, lane), node, row, batch.own_delay[e])
                                             + b * LANES) * batch.own_weight[e];
        }
% endif
        couple(fixed, state, total, coupling);
        real input[N_INPUTS + 1];
        for (int i = 0; i < N_INPUTS; ++i)
#if RATEMLX_STIMULI
            input[i] = splat(batch.course[(int64_t)i * batch.course_steps + step] * batch.pattern[i * batch.n_nodes + node]);
#else
            input[i] = splat(R(0.0));
#endif
        integrate(fixed, coupling, input, dt, state);
#if RATEMLX_NOISE
        // A block of fewer than four steps needs one of the two pairs of normals that share a counter.
        const int pair = RATEMLX_BLOCK < 4 ? step >> 1 & 1 : 0, last_pair = RATEMLX_BLOCK < 4 ? pair + 1 : 2;
        if (b == 0 || (step & 3) == 0)
            for (int i = 0; i < N_NOISES; ++i)
                normals_of(name_low, name_high, (uint32_t)node, (uint32_t)step >> 2, (uint32_t)i, batch.seed[0],
                           batch.seed[1], pair, last_pair, normals[i]);
        add_noise(fixed, normals, step & 3, state);
#else
        relax(fixed, state);
#endif
        limit(state);

        real channel[N_CHANNELS + 1];
        channels(fixed, state, channel);
        publish(batch, tile, node, lane, row + b + 1 == batch.ring_rows ? 0 : row + b + 1, channel);

        real size = state[0];
        for (int i = 1; i < N_STATES; ++i) size = size + state[i];
        const mask bad = negate(fabs(size) <= R(RATEMLX_LARGEST));
        if (any_of(bad)) note_divergence(batch.diverged_at + (int64_t)tile * LANES + lane, bad, step);

        observe(fixed, state, sum);
        if (++in_sample == batch.steps_per_sample) {
            const int64_t slot = ((int64_t)tile * batch.n_samples + sample) * N_OBSERVED;
            for (int i = 0; i < N_OBSERVED; ++i) {
                store(batch.samples + ((slot + i) * batch.n_nodes + node) * LANES + lane,
                      sum[i] / (scalar)batch.steps_per_sample);
                sum[i] = splat(R(0.0));
            }
            in_sample = 0;
            ++sample;
        }
    }

    for (int i = 0; i < N_STATES; ++i) store(own + (int64_t)i * batch.n_nodes * LANES, state[i]);
    for (int i = 0; i < N_OBSERVED; ++i) store(sums + (int64_t)i * batch.n_nodes * LANES, sum[i]);
}

<%block name="entries"/>\
