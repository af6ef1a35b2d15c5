"""Which engine computed is heard by who keeps a record."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from analysis.numerics import compiled


def test_a_compiled_kernel_is_heard_with_its_version() -> None:
    pytest.importorskip("numba")
    with compiled.listening() as heard:
        assert compiled.pays("_some_kernel", compiled.LARGE)
    assert heard == {"numba": version("numba")}


def test_where_numpy_does_the_work_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    with compiled.listening() as heard:
        assert not compiled.pays("_some_kernel", 10)
    assert heard == {}


def test_what_came_before_and_after_is_not_heard() -> None:
    pytest.importorskip("numba")
    compiled.pays("_some_kernel", compiled.LARGE)
    with compiled.listening() as heard:
        pass
    compiled.pays("_some_kernel", compiled.LARGE)
    assert heard == {}
