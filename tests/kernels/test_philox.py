"""The random number generator: published vectors, and normals as Box and Muller make them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pytest

Library = Callable[[str, int, str], ctypes.CDLL]
VARIANTS = [("cpp", 4), ("cpp", 8), ("cpp", 16), ("cpp", 32), ("cuda", 32)]

# Random123 (Salmon et al. 2011), kat_vectors, philox4x32 with 10 rounds: counter, key, result.
VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> np.ndarray:
    return np.array([int(word, 16) for word in text.split()], np.uint32)


def draw(library: ctypes.CDLL, counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    result = np.zeros(4, np.uint32)
    pointer = ctypes.c_void_p
    low, high = (ctypes.c_uint32(int(word)) for word in key)
    library.call_philox(pointer(counter.ctypes.data), low, high, pointer(result.ctypes.data), 1)
    return result


@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
@pytest.mark.parametrize(("counter", "key", "result"), VECTORS)
def test_published_vectors(counter: str, key: str, result: str, dialect: str, lanes: int, library: Library) -> None:
    found = draw(library(dialect, lanes, "float32"), words(counter), words(key))
    np.testing.assert_array_equal(found, words(result))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("dialect", "lanes"), VARIANTS)
def test_normals_count_as_documented(dialect: str, lanes: int, precision: str, library: Library) -> None:
    """Counter = (low name, region, step / 4, high name above the stream); key = seed; Box-Muller in pairs."""
    chosen = library(dialect, lanes, precision)
    for name_low, name_high, node, quad, stream, low, high in [
        (0, 0, 0, 0, 0, 0, 0),
        (0xDEADBEEF, 0x00C0FFEE, 67, 12499, 3, 42, 7),
        (1, 0x00FFFFFF, 5, 2**30 - 1, 255, 2**32 - 1, 2**31),
    ]:
        normals = np.zeros(4, precision)
        numbers = (ctypes.c_uint32(value) for value in (name_low, name_high, node, quad, stream, low, high))
        chosen.call_normals(*numbers, ctypes.c_void_p(normals.ctypes.data))
        counter = np.array([name_low, node, quad, (name_high << 8) & 0xFFFFFFFF ^ stream], np.uint32)
        uniform = (draw(chosen, counter, np.array([low, high], np.uint32)).astype(np.float64) + 0.5) / 2**32
        radius, angle = np.sqrt(-2 * np.log(uniform[0::2])), 2 * np.pi * uniform[1::2]
        wanted = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
        np.testing.assert_allclose(normals, wanted, atol=2e-6 if precision == "float32" else 1e-14)
