"""Functions of the kernels' headers, compiled into a small library and called on arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ratemlx.runtime.devices.compiler import compile_library

FUNCTIONS = ["exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "sqrt", "floor", "ceil", "erf", "erfc", "fabs"]

HOST = '#include "ratemlx/variant.h"\n#include "ratemlx/simd.h"\n'
DEVICE = '#include "ratemlx/variant.h"\n#include "ratemlx/emulate.h"\n'
DIALECTS = {"cpp": HOST, "cuda": DEVICE}

ELEMENTARY = """
#define EXPORT(name) \\
    extern "C" void call_##name(const scalar *from, scalar *to, int n) \\
    { for (int i = 0; i < n; i += STRIDE) store(to + i, name(load(from + i))); }
"""
SINCOS = """
extern "C" void call_sincos2pi(const scalar *from, scalar *sines, scalar *cosines, int n)
{
    for (int i = 0; i < n; i += STRIDE) {
        real sine, cosine;
        sincos2pi(load(from + i), sine, cosine);
        store(sines + i, sine);
        store(cosines + i, cosine);
    }
}
extern "C" void call_pow(const scalar *base, const scalar *exponent, scalar *to, int n)
{
    for (int i = 0; i < n; i += STRIDE) store(to + i, pow(load(base + i), load(exponent + i)));
}
extern "C" void call_erfc_gauss(const scalar *x, const scalar *gauss, scalar *to, int n)
{
    for (int i = 0; i < n; i += STRIDE) store(to + i, erfc_gauss(load(x + i), load(gauss + i)));
}
extern "C" void call_maximum(const scalar *a, const scalar *b, scalar *to, int n)
{
    for (int i = 0; i < n; i += STRIDE) store(to + i, maximum(load(a + i), load(b + i)));
}
extern "C" void call_minimum(const scalar *a, const scalar *b, scalar *to, int n)
{
    for (int i = 0; i < n; i += STRIDE) store(to + i, minimum(load(a + i), load(b + i)));
}
"""
RANDOM = """
extern "C" void call_philox(const uint32_t *counters, uint32_t low, uint32_t high, uint32_t *to, int n)
{
    for (int i = 0; i < n; ++i) {
        word counter[4];
        for (int k = 0; k < 4; ++k) counter[k] = word_of(counters[4 * i + k]);
        philox(counter, low, high);
        for (int k = 0; k < 4; ++k) memcpy(to + 4 * i + k, &counter[k], 4);
    }
}
extern "C" void call_normals(uint32_t name_low, uint32_t name_high, uint32_t node, uint32_t quad, uint32_t stream,
                             uint32_t key_low, uint32_t key_high, scalar *to)
{
    real normals[4];
    normals_of(word_of(name_low), word_of(name_high), node, quad, stream, key_low, key_high, 0, 2, normals);
    for (int k = 0; k < 4; ++k) memcpy(to + k, &normals[k], sizeof(scalar));
}
"""


def compiled(folder: Path, dialect: str, definitions: Mapping[str, str]) -> ctypes.CDLL:
    """The library of one dialect and variant."""
    stride = "#define STRIDE LANES\n" if dialect == "cpp" else "#define STRIDE 1\n"
    exports = "".join(f"EXPORT({name})\n" for name in FUNCTIONS)
    source = folder / f"functions_{dialect}.cpp"
    source.write_text("#include <cstring>\n" + DIALECTS[dialect] + stride + ELEMENTARY + exports + SINCOS + RANDOM)
    return ctypes.CDLL(str(compile_library(source, definitions)))


def call(
    library: ctypes.CDLL, name: str, *arguments: NDArray[np.floating], results: int = 1
) -> list[NDArray[np.floating]]:
    """A function of the library over whole arrays, which are padded to whole vectors."""
    size = len(arguments[0])
    padded = [np.concatenate([array, np.ones(-size % 64, array.dtype)]) for array in arguments]
    outputs = [np.empty_like(padded[0]) for _ in range(results)]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*padded, *outputs)]
    getattr(library, f"call_{name}")(*pointers, len(padded[0]))
    return [output[:size] for output in outputs]
