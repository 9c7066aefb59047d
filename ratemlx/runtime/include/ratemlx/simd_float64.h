// Elementary functions in float64, lane by lane from the C library: exact to its last place, and slow. For validation.
#pragma once

RATEMLX_LANEWISE(exp, std::exp)
RATEMLX_LANEWISE(log, std::log)
RATEMLX_LANEWISE(sin, std::sin)
RATEMLX_LANEWISE(cos, std::cos)
RATEMLX_LANEWISE(tanh, std::tanh)
RATEMLX_LANEWISE(erf, std::erf)
RATEMLX_LANEWISE(erfc, std::erfc)

// erfc(x) where exp(-x^2) is known as well: of no use here.
RATEMLX_INLINE real erfc_gauss(real x, real) { return erfc(x); }

RATEMLX_FUNCTION void sincos2pi(real turns, real &sine, real &cosine)
{
    for (int lane = 0; lane < LANES; ++lane) {
        sine[lane] = std::sin(6.283185307179586 * turns[lane]);
        cosine[lane] = std::cos(6.283185307179586 * turns[lane]);
    }
}
