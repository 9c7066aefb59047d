// Generated kernels on a CUDA device, compiled by nvcc or NVRTC.
#pragma once

#define RATEMLX_INLINE static __device__ __forceinline__
#define RATEMLX_FUNCTION static __device__ __forceinline__
#define RATEMLX_KERNEL extern "C" __global__ void __launch_bounds__(RATEMLX_LANES)
#ifndef RATEMLX_LANES
#define RATEMLX_LANES 32
#endif

#include "ratemlx/abi.h"
RATEMLX_INLINE void sincos2pi(ratemlx_scalar turns, ratemlx_scalar &sine, ratemlx_scalar &cosine)
{
#ifdef RATEMLX_FLOAT64
    sincospi(2.0 * turns, &sine, &cosine);
#else
    sincospif(2.0f * turns, &sine, &cosine);
#endif
}
#include "ratemlx/scalar.h"

// Records the first step at which an instance is not finite; -1, as an unsigned number the largest, means not yet.
RATEMLX_INLINE void note_divergence(int32_t *diverged_at, mask, int32_t step)
{
    atomicMin((unsigned int *)diverged_at, (unsigned int)step);
}

// Values of a block of steps, set by one loop and read by another: each thread's own column of shared memory.
template <int N> struct BlockValues {
    scalar (*columns)[RATEMLX_LANES];
    __device__ __forceinline__ BlockValues()
    {
        __shared__ scalar memory[N][RATEMLX_LANES];
        columns = memory;
    }
    __device__ __forceinline__ void put(int index, int lane, real value) { columns[index][lane] = value; }
    __device__ __forceinline__ real get(int index, int lane) const { return columns[index][lane]; }
};

#define RATEMLX_PLACE(tile, node, lane)                                                                                \
    const int tile = (int)blockIdx.x, node = (int)blockIdx.y, lane = (int)threadIdx.x
