// What NVRTC lacks of what nvcc has from the host's compiler and headers; included before everything else.
#pragma once
#include <cfloat>
#include <stdint.h>

static __device__ constexpr int __builtin_popcountll(unsigned long long bits)
{
    int count = 0;
    for (; bits; bits &= bits - 1) ++count;
    return count;
}
