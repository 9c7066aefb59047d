// Elementary functions in float32 as polynomials over SIMD vectors.
//
// exp, log, sin and cos: reductions and coefficients of Moshier's Cephes library (single precision). erfc is in
// erfc_float32.h.
#pragma once

RATEMLX_INLINE mask as_bits(real x) { return (mask)x; }
RATEMLX_INLINE real as_real(mask bits) { return (real)bits; }

// x to the nearest integer, for |x| < 2^22.
RATEMLX_INLINE real nearest(real x) { return (x + 12582912.0f) - 12582912.0f; }

// 2^n for integer n in [-150, 128], in two factors, so that results may be subnormal or infinite.
RATEMLX_INLINE real scale(real x, real n)
{
    const mask whole = __builtin_convertvector(n, mask);
    const mask half = whole >> 1;
    return x * as_real((half + 127) << 23) * as_real((whole - half + 127) << 23);
}

RATEMLX_INLINE real exp(real x)
{
    x = minimum(maximum(x, splat(-104.0f)), splat(89.0f));
    const real n = nearest(x * 1.44269504f);
    real r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    real p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
#if defined(__AVX512F__)
    if constexpr (RATEMLX_WHOLE_PIECES)
        return by_pieces<__m512>(p, n, [](__m512 x, __m512 y) { return _mm512_maskz_scalef_ps((__mmask16)-1, x, y); });
#endif
    return scale(p, n);
}

RATEMLX_INLINE real log(real x)
{
    const mask tiny = x < 1.17549435e-38f;
    real y = tiny ? x * 8388608.0f : x;
    mask exponent = ((as_bits(y) >> 23) & 255) - 126;
    y = as_real((as_bits(y) & 0x007fffff) | 0x3f000000);  // [0.5, 1)
    const mask low = y < 0.707106781f;
    exponent = exponent + low - (tiny & 23);
    y = low ? y + y - 1.0f : y - 1.0f;
    const real e = __builtin_convertvector(exponent, real);
    const real z = y * y;
    real p = splat(7.0376836292e-2f);
    p = p * y - 1.1514610310e-1f;
    p = p * y + 1.1676998740e-1f;
    p = p * y - 1.2420140846e-1f;
    p = p * y + 1.4249322787e-1f;
    p = p * y - 1.6668057665e-1f;
    p = p * y + 2.0000714765e-1f;
    p = p * y - 2.4999993993e-1f;
    p = p * y + 3.3333331174e-1f;
    real r = p * y * z - e * 2.12194440e-4f - z * 0.5f;
    r = (y + r) + e * 0.693359375f;
    r = x == 0.0f ? splat(-INFINITY) : r;
    r = x == INFINITY ? x : r;
    return x >= 0.0f ? r : splat(NAN);
}

// Sine and cosine of r in [-pi/4, pi/4].
RATEMLX_INLINE void sincos_kernel(real r, real &sine, real &cosine)
{
    const real z = r * r;
    real s = splat(-1.9515295891e-4f);
    s = s * z + 8.3321608736e-3f;
    s = s * z - 1.6666654611e-1f;
    sine = s * z * r + r;
    real c = splat(2.443315711809948e-5f);
    c = c * z - 1.388731625493765e-3f;
    c = c * z + 4.166664568298827e-2f;
    cosine = c * (z * z) - z * 0.5f + 1.0f;
}

// Puts the parts of the first quarter turn together: sin and cos of r + quarter * pi/2.
RATEMLX_INLINE void sincos_quarters(real r, mask quarter, real &sine, real &cosine)
{
    real s, c;
    sincos_kernel(r, s, c);
    const mask swap = (quarter & 1) != 0;
    const mask sine_sign = (quarter & 2) << 30;
    const mask cosine_sign = ((quarter + 1) & 2) << 30;
    sine = as_real(as_bits(swap ? c : s) ^ sine_sign);
    cosine = as_real(as_bits(swap ? s : c) ^ cosine_sign);
}

RATEMLX_INLINE void sincos2pi(real turns, real &sine, real &cosine)
{
    const real quarter = nearest(turns * 4.0f);
    const real rest = (turns - quarter * 0.25f) * 6.28318530718f;
    sincos_quarters(rest, __builtin_convertvector(quarter, mask), sine, cosine);
}

// The C library's, lane by lane. Not inlined: a loop over lanes beside the arithmetic below would let the compiler
// contract that differently for each number of lanes.
static __attribute__((noinline)) void sincos_lanewise(const real *x, real *sine, real *cosine)
{
    for (int lane = 0; lane < LANES; ++lane) {
        (*sine)[lane] = std::sin((*x)[lane]);
        (*cosine)[lane] = std::cos((*x)[lane]);
    }
}

RATEMLX_INLINE void sincos(real x, real &sine, real &cosine)
{
    const real quarter = nearest(x * 0.636619772f);
    real r = x - quarter * 1.5703125f;
    r = r - quarter * 4.837512969970703125e-4f;
    r = r - quarter * 7.54978995489188216e-8f;
    sincos_quarters(r, __builtin_convertvector(quarter, mask), sine, cosine);
    const mask far = fabs(x) > 8192.0f;  // where the reduction loses its accuracy; a lane's value is its own affair
    if (any_of(far)) {
        real far_sine, far_cosine;
        sincos_lanewise(&x, &far_sine, &far_cosine);
        sine = far ? far_sine : sine;
        cosine = far ? far_cosine : cosine;
    }
}
RATEMLX_INLINE real sin(real x)
{
    real sine, cosine;
    sincos(x, sine, cosine);
    return sine;
}
RATEMLX_INLINE real cos(real x)
{
    real sine, cosine;
    sincos(x, sine, cosine);
    return cosine;
}

RATEMLX_INLINE real tanh(real x)
{
    const real size = fabs(x);
    const real z = x * x;
    real p = splat(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const real near = p * z * x + x;
    const real far = 1.0f - 2.0f / (exp(size + size) + 1.0f);
    return size < 0.625f ? near : (x < 0.0f ? -far : far);
}

// 1/x for x between 1 and 1e9.
RATEMLX_INLINE real reciprocal_of_moderate(real x) { return 1.0f / x; }
#include "ratemlx/erfc_float32.h"

// exp(-x^2) with the rounding error of the square put back in.
RATEMLX_INLINE real gaussian(real x)
{
    x = minimum(maximum(x, splat(-16.0f)), splat(16.0f));  // infinity less itself would not be a number
    const real high = as_real(as_bits(x) & (mask_element)0xfffff000);
    const real low = x - high;
    return exp(-high * high) * exp(-(x + high) * low);
}
RATEMLX_INLINE real erfc(real x) { return erfc_gauss(x, gaussian(x)); }
RATEMLX_INLINE real erf(real x)
{
    const real z = x * x;
    real p = splat(7.853861353153693e-5f);
    p = p * z - 8.010193625184903e-4f;
    p = p * z + 5.188327685732524e-3f;
    p = p * z - 2.685381193529856e-2f;
    p = p * z + 1.128358514861418e-1f;
    p = p * z - 3.761262582423300e-1f;
    p = p * z + 1.128379165726710f;
    const real far = erfc_gauss(fabs(x), gaussian(x));
    return fabs(x) < 1.0f ? p * x : (x < 0.0f ? far - 1.0f : 1.0f - far);
}
