"""From what services and store raise to HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import SuspiciousOperation
from rest_framework.exceptions import APIException, ParseError, ValidationError

from measurements.services import RefusedError
from measurements.store import StoreFullError, StoreUnavailableError, TooLargeError


class PayloadTooLarge(APIException):
    status_code = 413
    default_code = "too_large"


class InsufficientStorage(APIException):
    status_code = 507
    default_code = "storage_full"


class StorageUnavailable(APIException):
    status_code = 503
    default_code = "storage_unavailable"


@contextmanager
def as_http() -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        raise ValidationError({error.field: [error.message]}) from error
    except TooLargeError as error:
        raise PayloadTooLarge(str(error)) from error
    except StoreFullError as error:
        raise InsufficientStorage(str(error)) from error
    except StoreUnavailableError as error:
        raise StorageUnavailable(str(error)) from error
    except SuspiciousOperation as error:
        raise ParseError(str(error)) from error
