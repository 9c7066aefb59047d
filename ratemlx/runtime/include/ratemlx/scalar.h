// The dialect of generated CUDA kernels: `real` is one number, an instance is a thread. Common to real devices
// (device.h) and to the emulation on a host (emulate.h), which come first and supply RATEMLX_INLINE, the thread's place
// and shared memory.
#pragma once
#include "ratemlx/abi.h"

#define R(number) ((scalar)(number))
typedef ratemlx_scalar scalar;
typedef ratemlx_scalar real;
typedef bool mask;
typedef uint32_t word;
enum { LANES = RATEMLX_LANES };

RATEMLX_INLINE real splat(real value) { return value; }
RATEMLX_INLINE word word_of(uint32_t value) { return value; }
RATEMLX_INLINE real load(const scalar *from) { return *from; }
RATEMLX_INLINE void store(scalar *to, real value) { *to = value; }
RATEMLX_INLINE word load_words(const uint32_t *from) { return *from; }
RATEMLX_INLINE real select(mask condition, real yes, real no) { return condition ? yes : no; }
RATEMLX_INLINE mask both(mask a, mask b) { return a && b; }
RATEMLX_INLINE mask either(mask a, mask b) { return a || b; }
RATEMLX_INLINE mask negate(mask a) { return !a; }
// The first operand stays if it is not a number, so that divergence is seen.
RATEMLX_INLINE real maximum(real a, real b) { return a < b ? b : a; }
RATEMLX_INLINE real minimum(real a, real b) { return a > b ? b : a; }
RATEMLX_INLINE constexpr real square(real x) { return x * x; }
RATEMLX_INLINE constexpr real cube(real x) { return x * x * x; }
template <int N> RATEMLX_INLINE constexpr real power(real x)
{
    if constexpr (N == 1) return x;
    else if constexpr (N % 2) return x * power<N - 1>(x);
    else return square(power<N / 2>(x));
}
RATEMLX_INLINE bool any_of(mask m) { return m; }
#ifdef RATEMLX_FLOAT64
// erfc(x) where exp(-x^2) is known as well.
RATEMLX_INLINE real erfc_gauss(real x, real) { return erfc(x); }
#else
#include "ratemlx/erfc_float32.h"
#endif

RATEMLX_INLINE void multiply_wide(word a, uint32_t factor, word &high, word &low)
{
    const uint64_t product = (uint64_t)a * factor;
    high = (uint32_t)(product >> 32);
    low = (uint32_t)product;
}
// (0, 1], the middle of each of 2^32 intervals as far as the precision can tell them apart.
RATEMLX_INLINE real to_unit(word bits) { return ((real)bits + R(0.5)) * R(0x1p-32); }

// What history.h converts with.
#if RATEMLX_HISTORY
typedef float single;
RATEMLX_INLINE single to_single(real value) { return (single)value; }
RATEMLX_INLINE real from_single(single value) { return (real)value; }
RATEMLX_INLINE single load_single(const float *from) { return *from; }
RATEMLX_INLINE void store_single(float *to, single value) { *to = value; }
RATEMLX_INLINE word load_short(const uint16_t *from) { return *from; }
RATEMLX_INLINE void store_short(uint16_t *to, word value) { *to = (uint16_t)value; }
#endif
#include "ratemlx/history.h"

#include "ratemlx/philox.h"

// One of four values, without an array that would have to live in memory to be indexed.
RATEMLX_INLINE real pick(const real values[4], int index)
{
    const real low = index & 1 ? values[1] : values[0];
    const real high = index & 1 ? values[3] : values[2];
    return index & 2 ? high : low;
}
