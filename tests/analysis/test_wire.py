"""What two processes write to each other comes back as it went, and is nothing but words and numbers."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from analysis.methods import Curve, Outcome, Result
from analysis.sandbox.wire import encoded, messages
from analysis.sandbox.words import Answer, Farewell, Progress

X = np.array([1.0, 2.0, np.nextafter(3.0, 4.0)])
Y = np.array([np.nan, -np.inf, 5e-324])
CURVE = Curve("fit", X, Y, "wavelength", "nm", "intensity", "a.u.")
OUTCOME = Outcome(
    (Result("pl_peak", 0.1 + 0.2, float("nan")), Result("pl_amplitude", 1e300, 2.5, "I")),
    (CURVE,),
    ("half a surrogate \udcff from a damaged file",),
    {"model": "two", "r_squared": 0.99829},
)


def heard(*pieces: bytes) -> list[Answer | Progress | Farewell]:
    received, found = bytearray(), []
    for piece in pieces:
        received += piece
        found += list(messages(received))
    return found


def test_an_outcome_comes_back_bit_for_bit() -> None:
    (answer,) = heard(encoded(Answer(7, OUTCOME, duration_s=1.25, compiled={"numba": "0.60.0"})))
    assert isinstance(answer, Answer)
    assert answer.outcome is not None
    assert (answer.key, answer.duration_s, answer.refusal, answer.mistake) == (7, 1.25, "", "")
    assert answer.compiled == {"numba": "0.60.0"}
    first, second = answer.outcome.values
    assert (first.property, first.value, first.component) == ("pl_peak", 0.1 + 0.2, "")
    assert np.isnan(first.sigma)
    assert second == OUTCOME.values[1]
    (curve,) = answer.outcome.curves
    assert (curve.name, curve.x_name, curve.x_unit, curve.y_name, curve.y_unit) == (
        "fit",
        "wavelength",
        "nm",
        "intensity",
        "a.u.",
    )
    assert curve.x.tobytes() == X.tobytes()
    assert curve.y.tobytes() == Y.tobytes()
    assert curve.y.flags.writeable
    assert answer.outcome.warnings == OUTCOME.warnings
    assert answer.outcome.notes == OUTCOME.notes


def test_what_several_curves_share_travels_once() -> None:
    lines = [Curve(name, X, Y + i, "wavelength", "nm") for i, name in enumerate(("fit", "data"))]
    message = encoded(Answer(1, Outcome((), tuple(lines))))
    assert message.count(X.tobytes()) == 1
    (answer,) = heard(message)
    assert isinstance(answer, Answer)
    assert answer.outcome is not None
    assert [curve.x.tobytes() for curve in answer.outcome.curves] == [X.tobytes()] * 2
    assert [curve.y.tobytes() for curve in answer.outcome.curves] == [line.y.tobytes() for line in lines]


def test_numbers_of_numpy_are_numbers() -> None:
    notes = {"points": np.int64(3), "limit": np.float32(0.5), "merged": np.bool_(True)}
    (answer,) = heard(encoded(Answer(1, Outcome((Result("pl_peak", np.float64(1.5), 0),), (), (), notes))))
    assert isinstance(answer, Answer)
    assert answer.outcome is not None
    assert answer.outcome.notes == {"points": 3, "limit": 0.5, "merged": True}
    assert answer.outcome.values == (Result("pl_peak", 1.5, 0.0),)


def test_what_is_neither_words_nor_numbers_does_not_leave_the_child() -> None:
    with pytest.raises(TypeError, match="set is neither a number nor a text"):
        encoded(Answer(1, Outcome((), (), (), {"seen": {1, 2}})))


def test_progress_farewell_and_refusals_come_back_in_order_from_any_pieces() -> None:
    said = (
        Progress(0.25, "a quarter"),
        Answer(3, refusal="Too few points.", details="line 1\nline 2"),
        Farewell(["scipy.optimize"], {"1:2": b"\x00\xff" * 5, "1:3": b""}),
    )
    whole = b"".join(map(encoded, said))
    assert heard(whole) == list(said)
    assert heard(*(whole[i : i + 1] for i in range(len(whole)))) == list(said)


def test_half_a_message_waits() -> None:
    assert heard(encoded(Progress(0.5, "half"))[:-1]) == []


def test_a_message_that_promises_more_than_it_holds_is_refused() -> None:
    words = b'{"kind": "farewell", "packages": [], "left": {"a": 9}}'
    lying = struct.pack("<QI", 4 + len(words), len(words)) + words
    with pytest.raises(ValueError, match="shorter than it says"):
        heard(lying)
