"""Cursor pages: the tenth thousand rows cost what the first cost."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000


class ByCode(NewestFirst):
    ordering = "code"


class ByName(NewestFirst):
    ordering = "slug"
