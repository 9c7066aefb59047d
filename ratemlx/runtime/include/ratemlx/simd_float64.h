// Elementary functions in float64 over SIMD vectors, within a unit in the last place or two of exact.
//
// exp: the Taylor polynomial after a reduction by powers of two. log, and sine and cosine of turns: reductions and
// coefficients of Moshier's Cephes library (double precision). The rest is the C library's, lane by lane.
#pragma once

RATEMLX_LANEWISE(sin, std::sin)
RATEMLX_LANEWISE(cos, std::cos)
RATEMLX_LANEWISE(tanh, std::tanh)
RATEMLX_LANEWISE(erf, std::erf)
RATEMLX_LANEWISE(erfc, std::erfc)

// erfc(x) where exp(-x^2) is known as well: of no use here.
RATEMLX_INLINE real erfc_gauss(real x, real) { return erfc(x); }

RATEMLX_INLINE mask as_bits(real x) { return (mask)x; }
RATEMLX_INLINE real as_real(mask bits) { return (real)bits; }

// x to the nearest integer, for |x| < 2^51; and that integer, from the low bits of the sum.
RATEMLX_INLINE real nearest(real x) { return (x + 0x1.8p52) - 0x1.8p52; }
RATEMLX_INLINE mask as_integer(real whole) { return as_bits(whole + 0x1.8p52) - as_bits(splat(0x1.8p52)); }

// 2^n for integer n in [-1080, 1024], in two factors, so that results may be subnormal or infinite.
RATEMLX_INLINE real scale(real x, real n)
{
    const mask whole = as_integer(n);
    const mask half = whole >> 1;
    return x * as_real((half + 1023) << 52) * as_real((whole - half + 1023) << 52);
}

RATEMLX_INLINE real exp(real x)
{
    x = minimum(maximum(x, splat(-746.0)), splat(710.0));
    const real n = nearest(x * 1.4426950408889634);
    real r = x - n * 6.93147180369123816490e-1;
    r = r - n * 1.90821492927058770002e-10;
    real p = splat(1.0 / 6227020800.0);
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    return scale(p * (r * r) + r + 1.0, n);
}

RATEMLX_INLINE real log(real x)
{
    const mask tiny = x < 0x1p-1022;
    real y = tiny ? x * 0x1p54 : x;
    mask exponent = ((as_bits(y) >> 52) & 2047) - 1022;
    y = as_real((as_bits(y) & 0x000fffffffffffffL) | 0x3fe0000000000000L);  // [0.5, 1)
    const mask low = y < 0.70710678118654752440;
    exponent = exponent + low - (tiny & 54);
    y = low ? y + y - 1.0 : y - 1.0;
    const real e = as_real(exponent + as_bits(splat(0x1.8p52))) - 0x1.8p52;
    const real z = y * y;
    real p = splat(1.01875663804580931796e-4);
    p = p * y + 4.97494994976747001425e-1;
    p = p * y + 4.70579119878881725854;
    p = p * y + 1.44989225341610930846e1;
    p = p * y + 1.79368678507819816313e1;
    p = p * y + 7.70838733755885391666;
    real q = y + 1.12873587189167450590e1;
    q = q * y + 4.52279145837532221105e1;
    q = q * y + 8.29875266912776603211e1;
    q = q * y + 7.11544750618563894466e1;
    q = q * y + 2.31251620126765340583e1;
    real r = y * (z * (p / q)) - e * 2.121944400546905827679e-4 - z * 0.5;
    r = (y + r) + e * 0.693359375;
    r = x == 0.0 ? splat(-INFINITY) : r;
    r = x == INFINITY ? x : r;
    return x >= 0.0 ? r : splat(NAN);
}

RATEMLX_INLINE void sincos2pi(real turns, real &sine, real &cosine)
{
    const real whole = nearest(turns * 4.0);
    const real r = (turns - whole * 0.25) * 6.283185307179586;
    const real z = r * r;
    real s = splat(1.58962301576546568060e-10);
    s = s * z - 2.50507477628578072866e-8;
    s = s * z + 2.75573136213857245213e-6;
    s = s * z - 1.98412698295895385996e-4;
    s = s * z + 8.33333333332211858878e-3;
    s = s * z - 1.66666666666666307295e-1;
    s = s * (z * r) + r;
    real c = splat(-1.13585365213876817300e-11);
    c = c * z + 2.08757008419747316778e-9;
    c = c * z - 2.75573141792967388112e-7;
    c = c * z + 2.48015872888517045348e-5;
    c = c * z - 1.38888888888730564116e-3;
    c = c * z + 4.16666666666665929218e-2;
    c = c * (z * z) - z * 0.5 + 1.0;
    const mask quarter = as_integer(whole);
    const mask swap = (quarter & 1) != 0;
    sine = as_real(as_bits(swap ? c : s) ^ ((quarter & 2) << 62));
    cosine = as_real(as_bits(swap ? s : c) ^ (((quarter + 1) & 2) << 62));
}
