"""Words that mean something in the languages of generated code, and so cannot be names of a model."""

from __future__ import annotations

import re

from ratemlx.lems.quoting import enumerate_words

_FUNCTIONS = """exp log sqrt sin cos tan sinh cosh tanh abs ceil floor min max erf erfc where heaviside diff"""

FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Functions of the expression language."""

RESERVED = {
    "dt": "the time step",
    "t": "the time",
    "pi": "the number pi",
    "inf": "infinity",
    "nan": "what is not a number",
    "n_node": "the number of regions",
    "total": "the weighted sum of a coupling",
}
"""Names that the expression language gives a meaning."""

_C = """auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while"""

_CPP = """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default
delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable
namespace new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
return short signed sizeof static static_assert static_cast struct switch template this thread_local throw true try
typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq"""

_PYTHON = """False None True and as assert async await break class continue def del elif else except finally for from
global if import in is lambda nonlocal not or pass raise return try while with yield"""

KEYWORDS = {"C": frozenset(_C.split()), "C++": frozenset(_CPP.split()), "Python": frozenset(_PYTHON.split())}

# Left out on purpose: gamma, y0, y1, jn, index and others that are functions of C, but also names in RateML's
# models; generated code renames them.
_C_BUILT_IN = """NULL EOF INFINITY NAN HUGE_VAL M_PI assert errno stdin stdout stderr main printf fprintf sprintf scanf
malloc calloc realloc free exit abort system memcpy memset size_t ptrdiff_t std isnan isinf isfinite signbit fabs fmin
fmax fma fmod pow cbrt hypot asin acos atan atan2 asinh acosh atanh exp2 expm1 log2 log10 log1p tgamma lgamma rint
round trunc nearbyint remainder copysign unix linux va_list offsetof typeof"""

_CUDA_BUILT_IN = """threadIdx blockIdx blockDim gridDim warpSize dim3 cudaStream_t cudaError_t cudaMalloc cudaFree
cudaMemcpy rsqrt rcbrt sinpi cospi sincos sincospi erfinv erfcinv erfcx normcdf atomicAdd atomicCAS clock64 half
half2 nv_bfloat16"""

_PYTHON_BUILT_IN = """all any anext aiter ascii bin bool breakpoint bytearray bytes callable chr classmethod compile
complex delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash
help hex id input int isinstance issubclass iter len list locals map memoryview next object oct open ord pow print
property quit range repr reversed round self set setattr slice sorted staticmethod str sum super tuple type vars zip
numpy np math os sys Ellipsis NotImplemented"""

BUILT_INS = {
    "C": frozenset(_C_BUILT_IN.split()),
    "CUDA": frozenset(_CUDA_BUILT_IN.split()),
    "Python": frozenset(_PYTHON_BUILT_IN.split()),
}

_VECTOR_TYPE = re.compile(r"u?(char|short|int|long|longlong|float|double)[1-4]")


def keyword_of(name: str) -> str | None:
    """The languages that have this word as a keyword, as a phrase; None if none has."""
    return _languages(name, KEYWORDS)


def built_in_of(name: str) -> str | None:
    """The languages that have something built in under this name, as a phrase; None if none has."""
    return "CUDA" if _VECTOR_TYPE.fullmatch(name) else _languages(name, BUILT_INS)


def _languages(name: str, table: dict[str, frozenset[str]]) -> str | None:
    found = [language for language, known in table.items() if name in known]
    return enumerate_words(found, "and") if found else None
