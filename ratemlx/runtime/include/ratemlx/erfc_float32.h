// The complementary error function in float32 where exp(-x^2) is known as well, for numbers and for vectors.
//
// Our own minimax fit of (1 + 2x) exp(x^2) erfc(x) as a polynomial in (x - 2) / (x + 2), relative error 8e-8. On a
// device it takes 26 instructions fewer than erfcf, which computes an exponential of its own.
#pragma once

// erfc(x), given gauss = exp(-x^2).
RATEMLX_INLINE real erfc_gauss(real x, real gauss)
{
    const real size = minimum(fabs(x), splat(1e4f));
    const real one = size + 2.0f, other = size + size + 1.0f;
    const real inverse = reciprocal_of_moderate(one * other);
    const real q = (size - 2.0f) * (other * inverse);
    real p = splat(-0.00040772018837742507f);
    p = p * q - 0.0012379991821944714f;
    p = p * q + 0.0013207769952714443f;
    p = p * q + 0.008640138432383537f;
    p = p * q - 0.008062509819865227f;
    p = p * q - 0.05420708283782005f;
    p = p * q + 0.16405576467514038f;
    p = p * q - 0.1660311371088028f;
    p = p * q - 0.0927640050649643f;
    p = p * q + 1.2769783735275269f;
    const real tail = p * (one * inverse) * gauss;
    return x < 0.0f ? 2.0f - tail : tail;
}
