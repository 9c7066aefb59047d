// Generated kernels on a CUDA device, compiled by nvcc or NVRTC.
#pragma once

#define RATEMLX_INLINE static __device__ __forceinline__
#define RATEMLX_FUNCTION static __device__ __forceinline__
#ifndef RATEMLX_LANES
#define RATEMLX_LANES 32
#endif
#if RATEMLX_FORM == 1
#define RATEMLX_THREADS (RATEMLX_LANES * RATEMLX_ROWS)
#else
#define RATEMLX_THREADS RATEMLX_LANES
#endif
#if RATEMLX_WARPS
#define RATEMLX_BOUNDS                                                                                                 \
    __launch_bounds__(RATEMLX_THREADS, RATEMLX_WARPS * 32 > RATEMLX_THREADS ? RATEMLX_WARPS * 32 / RATEMLX_THREADS : 1)
#else
#define RATEMLX_BOUNDS __launch_bounds__(RATEMLX_THREADS)
#endif
#define RATEMLX_KERNEL extern "C" __global__ void RATEMLX_BOUNDS

#include "ratemlx/abi.h"
RATEMLX_INLINE void sincos2pi(ratemlx_scalar turns, ratemlx_scalar &sine, ratemlx_scalar &cosine)
{
#ifdef RATEMLX_FLOAT64
    sincospi(2.0 * turns, &sine, &cosine);
#elif RATEMLX_FAST_MATH
    // Absolute errors below 2^-21 within [-pi, pi] (CUDA Programming Guide, intrinsic functions).
    __sincosf((turns - 0.5f) * 6.283185307f, &sine, &cosine);
    sine = -sine, cosine = -cosine;
#else
    sincospif(2.0f * turns, &sine, &cosine);
#endif
}
// 1/x for x between 1 and 1e9, within one unit in the last place (PTX ISA, rcp.approx.ftz.f32): nothing to check for.
RATEMLX_INLINE float reciprocal_of_moderate(float x)
{
    float result;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
RATEMLX_INLINE uint32_t bits_of(float value) { return __float_as_uint(value); }
RATEMLX_INLINE float single_of(uint32_t bits) { return __uint_as_float(bits); }
#include "ratemlx/scalar.h"

// Records the first step at which an instance is not finite; -1, as an unsigned number the largest, means not yet.
RATEMLX_INLINE void note_divergence(int32_t *diverged_at, mask, int32_t step)
{
    atomicMin((unsigned int *)diverged_at, (unsigned int)step);
}

// Values of a block of steps, set by one loop and read by another: each thread's own column of shared memory.
template <int N> struct BlockValues {
    static_assert(sizeof(scalar) * N * RATEMLX_THREADS <= 48 * 1024,
                  "RATEMLX_BLOCK x threads x coupling terms do not fit into 48 KiB of shared memory: use fewer lanes, fewer "
                  "rows or a shorter block (abi.py: shared_bytes)");
    scalar *column;
    __device__ __forceinline__ BlockValues()
    {
        __shared__ scalar memory[N][RATEMLX_THREADS];
        column = &memory[0][threadIdx.y * RATEMLX_LANES + threadIdx.x];
    }
    __device__ __forceinline__ void put(int index, real value) { column[index * RATEMLX_THREADS] = value; }
    __device__ __forceinline__ real get(int index) const { return column[index * RATEMLX_THREADS]; }
};

// Has the compiler keep a pointer to global memory in a register: it would work it out anew for every tract.
#define RATEMLX_HOLD(pointer)                                                                                          \
    asm("" : "+l"(pointer));                                                                                           \
    __builtin_assume(__isGlobal(pointer))

// Where a thread is: kernels that advance one region of a tile, and (form 1) kernels that have a tile's regions in rows.
#define RATEMLX_PLACE(tile, node, lane)                                                                                \
    const int tile = (int)blockIdx.x, node = (int)blockIdx.y, lane = (int)threadIdx.x
#define RATEMLX_TILE(tile) const int tile = (int)blockIdx.x
#define RATEMLX_EACH_THREAD(row, lane) if (const int row = (int)threadIdx.y, lane = (int)threadIdx.x; true)
#define RATEMLX_BARRIER() __syncthreads()
