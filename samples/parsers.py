"""JSON as the REST interface takes it."""

from __future__ import annotations

from typing import IO, Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

from samples.incoming import all_text


class JSONParser(parsers.JSONParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("This JSON is nested too deeply.") from None
        if not all_text(data):
            raise ParseError(
                "The JSON holds \\u0000 or half of a surrogate pair, which are no characters; leave them out."
            )
        return data
