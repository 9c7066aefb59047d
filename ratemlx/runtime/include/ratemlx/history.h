// How a history is kept in memory: `recall` and `keep` convert between it and registers, to the nearest, ties to even.
//
// scalar.h and simd.h include this after the dialect's types; what is written here holds for numbers and for vectors.
// By default a history is kept as the kernel computes. The other forms take half its memory and half its traffic.
#pragma once

typedef ratemlx_stored stored;

#if RATEMLX_HISTORY == 0

RATEMLX_INLINE real recall(const stored *from) { return load(from); }
RATEMLX_INLINE void keep(stored *to, real value) { store(to, value); }

#elif RATEMLX_HISTORY == 3

RATEMLX_INLINE real recall(const stored *from) { return from_single(load_single(from)); }
RATEMLX_INLINE void keep(stored *to, real value) { store_single(to, to_single(value)); }

#else

#if RATEMLX_HISTORY == 1 && defined(__CUDA_ARCH__)
RATEMLX_INLINE single expand(word bits)
{
    single value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"((uint16_t)bits));
    return value;
}
RATEMLX_INLINE word shorten(single value)
{
    uint16_t bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
#elif RATEMLX_HISTORY == 1
// float16: 10 bits of fraction, 5 of exponent.
RATEMLX_INLINE single expand(word bits)
{
    const word size = (bits & 0x7fffu) << 13;
    const single value = single_of(size) * 0x1p112f;  // the biases differ by 112; exact, subnormal numbers too
    const word whole = (bits & 0x7c00u) == 0x7c00u ? size | 0x7f800000u : bits_of(value);
    return single_of(whole | (bits & 0x8000u) << 16);
}
RATEMLX_INLINE word shorten(single value)
{
    const word sign = bits_of(value) & 0x80000000u, size = bits_of(value) ^ sign;
    // A subnormal result: the last place of a number in [0.5, 1) is that of subnormal halves.
    const word small = bits_of(single_of(size) + 0.5f) - 0x3f000000u;
    const word common = (size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13;
    const word finite = size < 0x38800000u ? small : common;
    const word whole = size < 0x477ff000u ? finite : word_of(0x7c00u);
    return (size > 0x7f800000u ? word_of(0x7e00u) : whole) | sign >> 16;
}
#else
// bfloat16: the upper half of a float32.
RATEMLX_INLINE single expand(word bits) { return single_of(bits << 16); }
RATEMLX_INLINE word shorten(single value)
{
    const word bits = bits_of(value);
    const word rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    return (bits & 0x7fffffffu) > 0x7f800000u ? word_of(0x7fc0u) : rounded;
}
#endif

RATEMLX_INLINE real recall(const stored *from) { return from_single(expand(load_short(from))); }
RATEMLX_INLINE void keep(stored *to, real value) { store_short(to, shorten(to_single(value))); }

#endif
