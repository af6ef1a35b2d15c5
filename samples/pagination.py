"""Cursor pages: the tenth thousand rows cost what the first cost."""

from __future__ import annotations

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from samples.incoming import all_text, row_number


class NewestFirst(CursorPagination):
    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
    invalid_cursor_message = "This is no cursor of ours; follow “next” and “previous” as they come."

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not self.is_position(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_position(self, text: str) -> bool:
        return row_number(text) is not None


class ByCode(NewestFirst):
    ordering = "code"

    def is_position(self, text: str) -> bool:
        return all_text(text)


class ByName(ByCode):
    ordering = "slug"
