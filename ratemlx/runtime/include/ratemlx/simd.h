// The dialect of generated kernels on a CPU: `real` is a SIMD vector of RATEMLX_LANES instances.
//
// GCC and Clang vector extensions do the arithmetic; intrinsics appear only where the compiler has no vector form
// (square root, scaling by powers of two, wide multiplication). In float32 the elementary functions are polynomials
// with relative errors of a few units in the last place (tests/kernels/test_simd_functions.py measures them); in
// float64, which is for validation, they are the C library's, lane by lane.
#pragma once
#include <cmath>
#include <cstring>
#include "ratemlx/abi.h"

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#ifndef RATEMLX_LANES
#define RATEMLX_LANES 8
#endif

#define RATEMLX_INLINE static inline __attribute__((always_inline))
#define RATEMLX_FUNCTION static inline
#define RATEMLX_HOLD(pointer) (void)0  // a GPU's matter
#define R(number) ((scalar)(number))

typedef ratemlx_scalar scalar;
enum { LANES = RATEMLX_LANES };
#ifdef RATEMLX_FLOAT64
typedef int64_t mask_element;
#else
typedef int32_t mask_element;
#endif
typedef scalar real __attribute__((vector_size(LANES * sizeof(scalar))));
typedef mask_element mask __attribute__((vector_size(LANES * sizeof(scalar))));
typedef uint32_t word __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef int32_t word_mask __attribute__((vector_size(LANES * sizeof(int32_t))));

RATEMLX_INLINE real splat(scalar value) { return value - real{}; }
RATEMLX_INLINE real splat(real value) { return value; }
RATEMLX_INLINE word word_of(uint32_t value) { return value - word{}; }

RATEMLX_INLINE real load(const scalar *from)
{
    real value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
RATEMLX_INLINE void store(scalar *to, real value) { std::memcpy(to, &value, sizeof value); }
RATEMLX_INLINE word load_words(const uint32_t *from)
{
    word value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

RATEMLX_INLINE real select(mask condition, real yes, real no) { return condition ? yes : no; }
RATEMLX_INLINE mask both(mask a, mask b) { return a & b; }
RATEMLX_INLINE mask either(mask a, mask b) { return a | b; }
RATEMLX_INLINE mask negate(mask a) { return ~a; }
// The first operand stays if it is not a number, so that divergence is seen.
RATEMLX_INLINE real maximum(real a, real b) { return a < b ? b : a; }
RATEMLX_INLINE real minimum(real a, real b) { return a > b ? b : a; }
template <class Number> RATEMLX_INLINE constexpr Number square(Number x) { return x * x; }
template <class Number> RATEMLX_INLINE constexpr Number cube(Number x) { return x * x * x; }
template <int N, class Number> RATEMLX_INLINE constexpr Number power(Number x)
{
    if constexpr (N == 1) return x;
    else if constexpr (N % 2) return x * power<N - 1>(x);
    else return square(power<N / 2>(x));
}
RATEMLX_INLINE real fabs(real x) { return x < R(0) ? -x : x; }

RATEMLX_INLINE bool any_of(mask m)
{
    uint64_t words[(sizeof m + 7) / 8] = {}, found = 0;
    std::memcpy(words, &m, sizeof m);
    for (uint64_t item : words) found |= item;
    return found != 0;
}
// Records the first step at which an instance is not finite; -1 means not yet.
RATEMLX_INLINE void note_divergence(int32_t *diverged_at, mask bad, int32_t step)
{
    for (int lane = 0; lane < LANES; ++lane)
        if (bad[lane] && (uint32_t)step < (uint32_t)diverged_at[lane]) diverged_at[lane] = step;
}

// --- lane by lane, for functions without a vector form ---------------------------------------------------------------
#define RATEMLX_LANEWISE(name, function)                                                                               \
    RATEMLX_FUNCTION real name(real x)                                                                                 \
    {                                                                                                                  \
        real y;                                                                                                        \
        for (int lane = 0; lane < LANES; ++lane) y[lane] = function(x[lane]);                                          \
        return y;                                                                                                      \
    }
RATEMLX_LANEWISE(tan, std::tan)
RATEMLX_LANEWISE(sinh, std::sinh)
RATEMLX_LANEWISE(cosh, std::cosh)
RATEMLX_FUNCTION real pow(real x, real y)
{
    real z;
    for (int lane = 0; lane < LANES; ++lane) z[lane] = std::pow(x[lane], y[lane]);
    return z;
}

// --- square root, rounding, powers of two ----------------------------------------------------------------------------
#if defined(__AVX512F__)
#define RATEMLX_PIECE 64
#elif defined(__AVX2__)
#define RATEMLX_PIECE 32
#endif

#if defined(RATEMLX_PIECE)
#define RATEMLX_WHOLE_PIECES (sizeof(real) % RATEMLX_PIECE == 0)
template <class Piece, class Operation> RATEMLX_INLINE real by_pieces(real x, Operation operation)
{
    real y;
    for (unsigned at = 0; at < sizeof x; at += sizeof(Piece)) {
        Piece piece;
        std::memcpy(&piece, (const char *)&x + at, sizeof piece);
        piece = operation(piece);
        std::memcpy((char *)&y + at, &piece, sizeof piece);
    }
    return y;
}
template <class Piece, class Operation> RATEMLX_INLINE real by_pieces(real x, real y, Operation operation)
{
    real z;
    for (unsigned at = 0; at < sizeof x; at += sizeof(Piece)) {
        Piece a, b;
        std::memcpy(&a, (const char *)&x + at, sizeof a);
        std::memcpy(&b, (const char *)&y + at, sizeof b);
        a = operation(a, b);
        std::memcpy((char *)&z + at, &a, sizeof a);
    }
    return z;
}
#else
#define RATEMLX_WHOLE_PIECES false
#endif

RATEMLX_INLINE real sqrt(real x)
{
#if defined(__AVX512F__) && defined(RATEMLX_FLOAT64)
    if constexpr (RATEMLX_WHOLE_PIECES) return by_pieces<__m512d>(x, [](__m512d p) { return _mm512_sqrt_pd(p); });
#elif defined(__AVX512F__)
    if constexpr (RATEMLX_WHOLE_PIECES) return by_pieces<__m512>(x, [](__m512 p) { return _mm512_sqrt_ps(p); });
#elif defined(__AVX2__) && defined(RATEMLX_FLOAT64)
    if constexpr (RATEMLX_WHOLE_PIECES) return by_pieces<__m256d>(x, [](__m256d p) { return _mm256_sqrt_pd(p); });
#elif defined(__AVX2__)
    if constexpr (RATEMLX_WHOLE_PIECES) return by_pieces<__m256>(x, [](__m256 p) { return _mm256_sqrt_ps(p); });
#endif
    real y;
    for (int lane = 0; lane < LANES; ++lane) y[lane] = std::sqrt(x[lane]);
    return y;
}
RATEMLX_LANEWISE(floor, std::floor)
RATEMLX_LANEWISE(ceil, std::ceil)

// --- random numbers --------------------------------------------------------------------------------------------------
RATEMLX_INLINE void multiply_wide(word a, uint32_t factor, word &high, word &low)
{
#if defined(__AVX512F__)
    if constexpr (sizeof(word) % 64 == 0) {
        const __m512i b = _mm512_set1_epi32((int)factor);
        for (unsigned at = 0; at < sizeof(word); at += 64) {
            __m512i x;
            std::memcpy(&x, (const char *)&a + at, 64);
            const __m512i even = _mm512_mul_epu32(x, b);
            const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), b);
            const __m512i h = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
            const __m512i l = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
            std::memcpy((char *)&high + at, &h, 64);
            std::memcpy((char *)&low + at, &l, 64);
        }
        return;
    }
#endif
#if defined(__AVX2__)
    if constexpr (sizeof(word) % 32 == 0) {
        const __m256i b = _mm256_set1_epi32((int)factor);
        for (unsigned at = 0; at < sizeof(word); at += 32) {
            __m256i x;
            std::memcpy(&x, (const char *)&a + at, 32);
            const __m256i even = _mm256_mul_epu32(x, b);
            const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), b);
            const __m256i h = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
            const __m256i l = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
            std::memcpy((char *)&high + at, &h, 32);
            std::memcpy((char *)&low + at, &l, 32);
        }
        return;
    }
#endif
    for (int lane = 0; lane < LANES; ++lane) {
        const uint64_t product = (uint64_t)a[lane] * factor;
        high[lane] = (uint32_t)(product >> 32);
        low[lane] = (uint32_t)product;
    }
}
// (0, 1], the middle of each of 2^32 intervals as far as the precision can tell them apart.
RATEMLX_INLINE real to_unit(word bits) { return (__builtin_convertvector(bits, real) + R(0.5)) * R(0x1p-32); }

#ifdef RATEMLX_FLOAT64
#include "ratemlx/simd_float64.h"
#else
#include "ratemlx/simd_float32.h"
#endif

// What history.h converts with.
#if RATEMLX_HISTORY
typedef float single __attribute__((vector_size(LANES * sizeof(float))));
typedef uint16_t shorts __attribute__((vector_size(LANES * sizeof(uint16_t))));
RATEMLX_INLINE single to_single(real value) { return __builtin_convertvector(value, single); }
RATEMLX_INLINE real from_single(single value) { return __builtin_convertvector(value, real); }
RATEMLX_INLINE word bits_of(single value) { return (word)value; }
RATEMLX_INLINE single single_of(word bits) { return (single)bits; }
RATEMLX_INLINE single load_single(const float *from)
{
    single value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
RATEMLX_INLINE void store_single(float *to, single value) { std::memcpy(to, &value, sizeof value); }
RATEMLX_INLINE word load_short(const uint16_t *from)
{
    shorts bits;
    std::memcpy(&bits, from, sizeof bits);
    return __builtin_convertvector(bits, word);
}
RATEMLX_INLINE void store_short(uint16_t *to, word value)
{
    const shorts bits = __builtin_convertvector(value, shorts);
    std::memcpy(to, &bits, sizeof bits);
}
#endif
#include "ratemlx/history.h"

#include "ratemlx/philox.h"

// Values of a block of steps, set by one loop and read by another.
template <int N> struct BlockValues {
    real values[N];
    void put(int index, real value) { values[index] = value; }
    real get(int index) const { return values[index]; }
};
RATEMLX_INLINE real pick(const real values[4], int index) { return values[index]; }
