// A kernel written by hand against abi.h, in the plainest way: a linear node driven by delayed neighbours, and a
// second variable that follows it. It shows what the runtime expects of a kernel, and keeps it from drifting.
//
//   dx/dt = -x / tau + drive + coupling * sum_j w_ij x_j(t - d_ij) + sigma * noise
//   dy/dt = x - y
#include <ratemlx/abi.h>

#include <cmath>

#ifndef RATEMLX_CONSTANT_tau
#define RATEMLX_CONSTANT_tau 10.0
#endif

namespace {

constexpr int LANES = RATEMLX_LANES;
constexpr int BLOCK = RATEMLX_BLOCK;
constexpr int PARAMETERS = 3;  // coupling, drive, sigma
constexpr int OBSERVED = (RATEMLX_OBSERVE & 1) + (RATEMLX_OBSERVE >> 1 & 1);
using real = ratemlx_scalar;

void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
        const uint32_t next[4] = {uint32_t(b >> 32) ^ c[1] ^ k0, uint32_t(b), uint32_t(a >> 32) ^ c[3] ^ k1, uint32_t(a)};
        for (int i = 0; i < 4; ++i) c[i] = next[i];
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

real normal(const ratemlx_batch *b, int tile, int lane, int node, int step)
{
    const uint32_t *identity = b->identity + (tile * 2) * LANES + lane;
    const uint32_t word = RATEMLX_COMMON_NOISE ? 0 : identity[0], high = RATEMLX_COMMON_NOISE ? 0 : identity[LANES];
    uint32_t c[4] = {word, uint32_t(node), uint32_t(step / 4), high << 8};
    philox(c, b->seed[0], b->seed[1]);
    const int pair = step % 4 / 2;
    const double radius = std::sqrt(-2 * std::log((c[2 * pair] + 0.5) / 4294967296.0));
    const double angle = 6.283185307179586 * ((c[2 * pair + 1] + 0.5) / 4294967296.0);
    return real(radius * (step % 2 ? std::sin(angle) : std::cos(angle)));
}

struct Lane {
    const ratemlx_batch *b;
    int tile, lane;

    int stride() const { return b->ring_rows + BLOCK; }
    real parameter(int i) const { return b->parameters[(tile * PARAMETERS + i) * LANES + lane]; }
    real &state(int v, int node) const { return b->state[((int64_t(tile) * 2 + v) * b->n_nodes + node) * LANES + lane]; }
    real &row(int node, int row) const
    {
        return b->history[((int64_t(tile) * b->n_nodes + node) * stride() + row) * LANES + lane];
    }
    void remember(int node, int step, real value) const
    {
        const int at = step % b->ring_rows;
        row(node, at) = value;
        if (at < BLOCK) row(node, b->ring_rows + at) = value;
    }
    real past(int node, int step) const
    {
        return row(node, (step % b->ring_rows + b->ring_rows) % b->ring_rows);
    }

    real coupling(int node, int step) const
    {
        real sum = 0;
        for (int e = b->edge_begin[node]; e < b->edge_begin[node + 1]; ++e)
            sum += b->edge_weight[e] * past(b->edge_source[e], step - b->edge_delay[e]);
        return sum;
    }

    void observe(int node, int step, const real values[2]) const
    {
        const int done = step + 1;
        const int sample = done / b->steps_per_sample - 1 - b->first_sample;
        for (int kept = 0, e = 0; e < 2; ++e) {
            if (!(RATEMLX_OBSERVE >> e & 1)) continue;
            real &sum = b->sums[((int64_t(tile) * OBSERVED + kept) * b->n_nodes + node) * LANES + lane];
            sum += values[e];
            if (done % b->steps_per_sample == 0) {
                const int64_t place = (int64_t(tile) * b->n_samples + sample) * OBSERVED + kept;
                b->samples[(place * b->n_nodes + node) * LANES + lane] = sum / b->steps_per_sample;
                sum = 0;
            }
            ++kept;
        }
    }

    // Explicit Euler; with RATEMLX_INTEGRATOR 1 Heun, the coupling held over the step.
    void step_node(int node, int step, real total) const
    {
        const real dt = real(b->dt), tau = real(RATEMLX_CONSTANT_tau);
        real &x = state(0, node), &y = state(1, node);
        const real input = parameter(1) + parameter(0) * total;
        const real dx = input - x / tau, dy = x - y;
        const real px = x + dt * dx, py = y + dt * dy;
        const real next[2] = {
            RATEMLX_INTEGRATOR == 1 ? x + dt / 2 * (dx + input - px / tau) : px,
            RATEMLX_INTEGRATOR == 1 ? y + dt / 2 * (dy + px - py) : py,
        };
        x = next[0] + (RATEMLX_NOISE ? parameter(2) * std::sqrt(dt) * normal(b, tile, lane, node, step) : real(0));
        y = next[1];
        int32_t &diverged = b->diverged_at[tile * LANES + lane];
        if (!(std::isfinite(x) && std::isfinite(y)) && (diverged < 0 || step < diverged)) diverged = step;
    }

    void block(int step, int count) const
    {
        for (int node = 0; node < b->n_nodes; ++node) {
            real totals[BLOCK];
            for (int k = 0; k < count; ++k) totals[k] = coupling(node, step + k);
            for (int k = 0; k < count; ++k) {
                step_node(node, step + k, totals[k]);
                remember_later[k] = state(0, node);
                const real values[2] = {state(0, node), state(1, node)};
                observe(node, step + k, values);
            }
            for (int k = 0; k < count; ++k) remember(node, step + k + 1, remember_later[k]);
        }
    }
    mutable real remember_later[BLOCK];
};

}  // namespace

extern "C" int32_t ratemlx_abi_version(void) { return RATEMLX_ABI_VERSION; }

extern "C" void ratemlx_start(const ratemlx_batch *batch, int32_t first_tile, int32_t last_tile)
{
    for (int tile = first_tile; tile < last_tile; ++tile)
        for (int lane = 0; lane < LANES; ++lane) {
            const Lane at{batch, tile, lane, {}};
            for (int node = 0; node < batch->n_nodes; ++node)
                for (int row = 0; row < at.stride(); ++row) at.row(node, row) = at.state(0, node);
        }
}

extern "C" void ratemlx_advance(const ratemlx_batch *batch, int32_t first_tile, int32_t last_tile)
{
    for (int tile = first_tile; tile < last_tile; ++tile)
        for (int lane = 0; lane < LANES; ++lane)
            for (int done = 0; done < batch->n_steps; done += BLOCK) {
                const int left = batch->n_steps - done;
                Lane{batch, tile, lane, {}}.block(batch->first_step + done, left < BLOCK ? left : BLOCK);
            }
}
