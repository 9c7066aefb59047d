"""The number of BLAS threads while metrics are evaluated, and after."""

from __future__ import annotations

import pytest

from ratemlx.metrics import blas


def test_one_thread_while_it_lasts_and_the_old_number_after(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = [8]
    monkeypatch.setattr(blas, "_control", lambda: (lambda: threads[0], lambda number: threads.__setitem__(0, number)))
    with blas.one_thread():
        assert threads == [1]
        with blas.one_thread():
            assert threads == [1]
        assert threads == [1]
    assert threads == [8]
    with pytest.raises(ZeroDivisionError), blas.one_thread():
        raise ZeroDivisionError
    assert threads == [8]


def test_numpy_of_wheels_is_under_control() -> None:
    control = blas._control()
    assert control is not None, "NumPy's BLAS is not the OpenBLAS of its wheels"
    before = control[0]()
    with blas.one_thread():
        assert control[0]() == 1
    assert control[0]() == before


def test_another_blas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_control", lambda: None)
    with blas.one_thread():
        pass
