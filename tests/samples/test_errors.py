"""What the framework would say in its own words is said in sentences that name the remedy."""

from __future__ import annotations

import pytest
from django.http import Http404
from rest_framework import exceptions
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from samples.errors import one_shape


class OnlyReading(APIView):
    def get(self, request: object) -> None: ...


def message(error: Exception) -> str:
    request = OnlyReading().initialize_request(APIRequestFactory().put("/"))
    view = OnlyReading()
    view.request = request
    answer = one_shape(error, {"view": view, "request": request})
    assert answer is not None
    return str(answer.data["error"]["message"])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (exceptions.NotAuthenticated(), "Send a token with the request: Authorization: Token …"),
        (exceptions.AuthenticationFailed("Invalid token."), "Take a new one"),
        (Http404("No Measurement matches the given query."), "nothing here that you may see"),
        (
            exceptions.MethodNotAllowed("PUT"),
            "PUT is not possible at this address, which takes GET, OPTIONS.",
        ),
        (
            exceptions.ValidationError({"reason": ["This field may not be blank."]}),
            "reason: It was left empty",
        ),
        (
            exceptions.ValidationError({"a": {"b": ['"x" is not a valid choice.']}}),
            "“x” is not one of the choices",
        ),
    ],
)
def test_the_frameworks_words_become_sentences(error: Exception, sentence: str) -> None:
    assert sentence in message(error)


def test_a_sentence_of_our_own_stays_as_it_is() -> None:
    assert message(Http404("There is no upload of yours at this address.")) == (
        "There is no upload of yours at this address."
    )
