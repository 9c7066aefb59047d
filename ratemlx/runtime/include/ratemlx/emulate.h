// Generated CUDA kernels on a host, thread after thread: for tests on machines without a GPU.
//
// A kernel of form 0 needs no barrier (each thread owns a region of an instance for a block of steps), so running the
// grid one thread at a time is a faithful execution of it. One of form 1 says what all threads do between two barriers
// as the body of RATEMLX_EACH_THREAD, which is a loop over threads here. RATEMLX_BACKWARDS has the threads in the
// opposite order: a kernel that depends on their order is wrong.
#pragma once
#include <cmath>
#include <cstring>
#include "ratemlx/abi.h"

#ifndef RATEMLX_LANES
#define RATEMLX_LANES 32
#endif
#define RATEMLX_INLINE static inline
#define RATEMLX_FUNCTION static inline
#define RATEMLX_KERNEL static void

using std::ceil;
using std::cos;
using std::cosh;
using std::erf;
using std::erfc;
using std::exp;
using std::fabs;
using std::floor;
using std::log;
using std::pow;
using std::sin;
using std::sinh;
using std::sqrt;
using std::tan;
using std::tanh;

struct ratemlx_place {
    int tile, node, lane;
};
static thread_local ratemlx_place ratemlx_here;
#define RATEMLX_PLACE(tile, node, lane)                                                                                \
    const int tile = ratemlx_here.tile, node = ratemlx_here.node, lane = ratemlx_here.lane

#if RATEMLX_BACKWARDS
#define RATEMLX_LOOP(index, end) for (int index = (end)-1; index >= 0; --index)
#else
#define RATEMLX_LOOP(index, end) for (int index = 0; index < (end); ++index)
#endif
#define RATEMLX_TILE(tile) const int tile = ratemlx_here.tile
#define RATEMLX_EACH_THREAD(row, lane) RATEMLX_LOOP(row, RATEMLX_ROWS) RATEMLX_LOOP(lane, RATEMLX_LANES)
#define RATEMLX_BARRIER() (void)0
#define RATEMLX_HOLD(pointer) (void)0

RATEMLX_INLINE float reciprocal_of_moderate(float x) { return 1.0f / x; }
RATEMLX_INLINE uint32_t bits_of(float value)
{
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
RATEMLX_INLINE float single_of(uint32_t bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
RATEMLX_INLINE void sincos2pi(ratemlx_scalar turns, ratemlx_scalar &sine, ratemlx_scalar &cosine)
{
    sine = (ratemlx_scalar)std::sin(6.283185307179586 * turns);
    cosine = (ratemlx_scalar)std::cos(6.283185307179586 * turns);
}
#include "ratemlx/scalar.h"

RATEMLX_INLINE void note_divergence(int32_t *diverged_at, mask, int32_t step)
{
    if ((uint32_t)step < (uint32_t)*diverged_at) *diverged_at = step;
}

template <int N> struct BlockValues {
    scalar values[N];
    void put(int index, real value) { values[index] = value; }
    real get(int index) const { return values[index]; }
};

// Runs a kernel that has one thread block for each tile.
template <class Kernel> static void ratemlx_launch_tiles(Kernel kernel, const ratemlx_batch &batch, int first, int last)
{
    for (int tile = first; tile < last; ++tile) {
        ratemlx_here = {tile, 0, 0};
        kernel(batch);
    }
}

// Runs a kernel over a grid of (tiles, nodes) blocks of RATEMLX_LANES threads.
template <class Kernel> static void ratemlx_launch(Kernel kernel, const ratemlx_batch &batch, int first, int last)
{
    for (int tile = first; tile < last; ++tile)
        RATEMLX_LOOP(node, batch.n_nodes)
            RATEMLX_LOOP(lane, RATEMLX_LANES)
            {
                ratemlx_here = {tile, node, lane};
                kernel(batch);
            }
}
