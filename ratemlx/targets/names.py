"""Identifiers of generated code: every name of a program as a name that C++, CUDA and Python accept."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

RESERVED = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const consteval
    constexpr constinit const_cast continue decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
    or_eq private protected public register reinterpret_cast requires return short signed sizeof static static_assert
    static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned using
    virtual void volatile wchar_t while xor xor_eq
    real scalar mask word select splat minimum maximum load store exp log sqrt sin cos tan sinh cosh tanh fabs ceil
    floor erf erfc erfc_gauss pow square cube power both either negate any_of pick R LANES BlockValues Fixed
    batch state channel term total coupling derivative fixed source parameters sum normals step dt n_node lane tile node
    prepare derivatives limit couple channels edge observe integrate add_noise relax input past publish start_node
    advance_node
    main linux unix NULL NAN INFINITY EOF signbit isnan isinf y0 y1 yn j0 j1 jn gamma lgamma tgamma signgam index time
    clock threadIdx blockIdx blockDim gridDim warpSize abs min max
    """.split()  # noqa: SIM905
) | set(keyword.kwlist)


def mangle(name: str, reserved: frozenset[str] = RESERVED) -> str:
    """One name as an identifier; different names may become the same."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    if not plain or plain[0].isdigit():
        plain = f"v_{plain}"
    return f"{plain}_" if plain in reserved or "__" in plain[:2] else plain


def unique_names(names: Iterable[str], reserved: frozenset[str] = RESERVED) -> dict[str, str]:
    """Identifiers for names, all different; the first to claim an identifier gets it."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in names:
        base = re.sub(r"__+", "_", mangle(name, reserved))
        chosen, number = base, 2
        while chosen in taken:
            chosen, number = f"{base}_{number}", number + 1
        taken.add(chosen)
        found[name] = chosen
    return found
