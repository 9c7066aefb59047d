// The dialect of the package's own programs, which are not generated: one C source for CPU, GPU and emulated GPU.
//
// `real` is double here, whatever the simulation's precision: programs add up many samples. `sample` is what the
// simulation wrote. Both hold LANES of the TILE instances that lie side by side in memory: on a GPU one, on a CPU as many
// as a vector register has doubles (compilers take wider vectors apart into single numbers where they compare them).
// `pack` holds PACK samples, as many as a vector register has room for.
#pragma once
#define RATEMLX_FLOAT64 1

#ifdef RATEMLX_SAMPLES_FLOAT64
typedef double sample_scalar;
#else
typedef float sample_scalar;
#endif

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#include "ratemlx/device.h"
enum { TILE = RATEMLX_LANES, PACK = 1, LANE_STEP = 1 };
#elif defined(RATEMLX_EMULATED)
#include "ratemlx/emulate.h"
enum { TILE = RATEMLX_LANES, PACK = 1, LANE_STEP = 1 };
#else
#define RATEMLX_VECTORS 1
enum { TILE = RATEMLX_LANES };
#if defined(__AVX512F__)
#define RATEMLX_REGISTER 64
#elif defined(__AVX2__)
#define RATEMLX_REGISTER 32
#else
#define RATEMLX_REGISTER 16
#endif
#if RATEMLX_LANES * 8 > RATEMLX_REGISTER
#undef RATEMLX_LANES
#if RATEMLX_REGISTER == 64
#define RATEMLX_LANES 8
#elif RATEMLX_REGISTER == 32
#define RATEMLX_LANES 4
#else
#define RATEMLX_LANES 2
#endif
#endif
#include "ratemlx/simd.h"
enum {
    LANE_STEP = LANES,
    PACK = TILE * sizeof(sample_scalar) > RATEMLX_REGISTER ? RATEMLX_REGISTER / sizeof(sample_scalar) : TILE
};
#endif

#ifdef RATEMLX_VECTORS
typedef sample_scalar sample __attribute__((vector_size(LANES * sizeof(sample_scalar))));
typedef sample_scalar pack __attribute__((vector_size(PACK * sizeof(sample_scalar))));
RATEMLX_INLINE sample load_sample(const sample_scalar *from)
{
    sample value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
RATEMLX_INLINE void store_sample(sample_scalar *to, sample value) { std::memcpy(to, &value, sizeof value); }
RATEMLX_INLINE pack load_pack(const sample_scalar *from)
{
    pack value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
RATEMLX_INLINE void store_pack(sample_scalar *to, pack value) { std::memcpy(to, &value, sizeof value); }
// LANES of a pack, from `lane` on.
RATEMLX_INLINE sample part(pack value, int lane)
{
    sample found;
    std::memcpy(&found, (const sample_scalar *)&value + lane, sizeof found);
    return found;
}
RATEMLX_INLINE real widen(sample value) { return __builtin_convertvector(value, real); }
RATEMLX_INLINE sample narrow(real value) { return __builtin_convertvector(value, sample); }
#else
typedef sample_scalar sample;
typedef sample_scalar pack;
RATEMLX_INLINE sample load_sample(const sample_scalar *from) { return *from; }
RATEMLX_INLINE void store_sample(sample_scalar *to, sample value) { *to = value; }
RATEMLX_INLINE pack load_pack(const sample_scalar *from) { return *from; }
RATEMLX_INLINE void store_pack(sample_scalar *to, pack value) { *to = value; }
RATEMLX_INLINE sample part(pack value, int) { return value; }
RATEMLX_INLINE real widen(sample value) { return (real)value; }
RATEMLX_INLINE sample narrow(real value) { return (sample)value; }
#endif
RATEMLX_INLINE sample lower(sample a, sample b) { return a > b ? b : a; }
RATEMLX_INLINE sample higher(sample a, sample b) { return a < b ? b : a; }

// RATEMLX_PROGRAM(name, rows, step) exports `void name(const Arguments &, int tile, int row, int lane)`, which does `step`
// lanes from `lane` on, by the name under which Program.run finds it; `rows` is an expression of `arguments`.
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define RATEMLX_PROGRAM(name, rows, step)                                                                              \
    RATEMLX_KERNEL name##_kernel(const Arguments arguments)                                                            \
    {                                                                                                                  \
        RATEMLX_PLACE(tile, row, lane);                                                                                \
        name(arguments, tile, row, lane);                                                                              \
    }
#else
#define RATEMLX_PROGRAM(name, rows, step)                                                                              \
    extern "C" void ratemlx_##name(const Arguments *given, int32_t first_tile, int32_t last_tile)                      \
    {                                                                                                                  \
        const Arguments &arguments = *given;                                                                           \
        for (int tile = first_tile; tile < last_tile; ++tile)                                                          \
            for (int row = 0; row < (rows); ++row)                                                                     \
                for (int lane = 0; lane < TILE; lane += step) name(arguments, tile, row, lane);                        \
    }
#endif
