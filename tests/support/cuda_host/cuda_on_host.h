// Enough of CUDA's language for RateML's kernels to be plain C++: threads run one after the other, and random numbers
// are zero. The kernels share nothing between threads, so that a barrier has nothing to do.
#pragma once
#include <math.h>

#define __global__ static
#define __device__ static
#define M_PI_F 3.14159265358979323846f

struct host_index { unsigned int x, y, z; };
static host_index threadIdx, blockIdx, blockDim, gridDim;

static inline void __syncthreads() {}
static inline long long clock64() { return 0; }

// Runs a call for every thread of a grid, as a launch does.
#define FOR_EVERY_THREAD(grid_x, grid_y, block_x, block_y, call)                                 \
    gridDim = {grid_x, grid_y, 1}, blockDim = {block_x, block_y, 1};                             \
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)                                   \
        for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)                               \
            for (threadIdx.y = 0; threadIdx.y < blockDim.y; ++threadIdx.y)                       \
                for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) call
