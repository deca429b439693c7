"""Everything the client raises. The class is chosen by the problem's ``code``, never by the status."""

from typing import Any, Dict, List, Mapping, Optional, Type

from .models import Verdict


class RegistryError(Exception):
    """The base of all errors of this package."""

    code: str = "registry_error"

    def __init__(self, message: str, *, code: Optional[str] = None, attempts: int = 0) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.attempts = attempts
        """Attempts that were made."""


class ApiError(RegistryError):
    """An error response of the registry."""

    def __init__(
        self,
        *,
        status: int,
        problem: Optional[Mapping[str, Any]],
        request_id: Optional[str],
        retry_after_ms: Optional[int],
        attempts: int,
    ) -> None:
        document: Dict[str, Any] = dict(problem or {})
        code = str(document.get("code") or f"http_{status}")
        detail = str(document.get("detail") or document.get("title") or f"The answer has status {status} and no problem document.")
        super().__init__(f"{code}: {detail}" + (f" (request {request_id})" if request_id else ""), code=code, attempts=attempts)
        self.status = status
        self.title = str(document.get("title") or "")
        self.detail = detail
        self.errors: List[Dict[str, Any]] = list(document.get("errors") or [])
        """The errors in the request, with their locations, if several were found."""
        self.problem: Optional[Dict[str, Any]] = document or None
        """The whole problem document, unknown members included; None if a gateway answered."""
        self.request_id = request_id
        self.retry_after_ms = retry_after_ms


class BadRequest(ApiError):
    """The request cannot be read; ``errors`` names the places."""


class Unauthorized(ApiError):
    """The key is missing or not valid."""


class Forbidden(ApiError):
    """The key may not do this."""


class NotFound(ApiError):
    """It does not exist, or the key may not read it."""


class Conflict(ApiError):
    """The registry's state does not allow it."""


class VersionExists(ApiError):
    """Other content already has the semantic version."""


class Protected(ApiError):
    """The subject is protected: the change needs an approved proposal."""


class Frozen(ApiError):
    """Changes are frozen at this time."""


class IncompatibleSchema(ApiError):
    """A registration that would break readers or writers; ``verdict`` says what and shows data that breaks."""

    @property
    def verdict(self) -> Verdict:
        return Verdict.model_validate((self.problem or {}).get("verdict") or {})


class PreconditionFailed(ApiError):
    """``if_match`` names an older state."""


class InvalidSchema(ApiError):
    """The schema breaks a rule of its format; ``errors`` names the places."""


class TooComplex(ApiError):
    """The schema exceeds a limit on depth, size or work."""


class PayloadTooLarge(ApiError):
    """The request is too large."""


class RateLimited(ApiError):
    """Too many requests; ``retry_after_ms`` says when to try."""


class Unavailable(ApiError):
    """The registry is busy, not ready, or away."""


class StorageFull(ApiError):
    """The registry has no room for another schema."""


class ServerError(ApiError):
    """A fault of the registry."""


class ConnectionLost(RegistryError):
    """The connection failed, or an attempt timed out."""

    code = "connection_lost"

    def __init__(self, message: str, *, may_have_been_sent: bool, attempts: int) -> None:
        super().__init__(message, attempts=attempts)
        self.may_have_been_sent = may_have_been_sent
        """False only if no connection was made."""


class DeadlineExceeded(RegistryError):
    """The call did not end within its time."""

    code = "deadline_exceeded"


class CircuitOpen(RegistryError):
    """The registry has not answered lately, so no connection was tried."""

    code = "circuit_open"

    def __init__(self, retry_after_ms: int, attempts: int) -> None:
        super().__init__(f"The registry did not answer; the next attempt is made in {retry_after_ms} ms.", attempts=attempts)
        self.retry_after_ms = retry_after_ms


class BadAnswer(RegistryError):
    """The answer violates the contract: a redirect, or a body that cannot be read."""

    code = "bad_answer"

    def __init__(self, status: int, message: str, attempts: int) -> None:
        super().__init__(message, attempts=attempts)
        self.status = status


class ConfigurationError(RegistryError):
    """An invalid option or argument; no call was made."""

    code = "configuration_error"


_CLASS_OF_CODE: Dict[str, Type[ApiError]] = {
    "bad_request": BadRequest,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "not_found": NotFound,
    "conflict": Conflict,
    "version_exists": VersionExists,
    "protected": Protected,
    "frozen": Frozen,
    "incompatible_schema": IncompatibleSchema,
    "precondition_failed": PreconditionFailed,
    "precondition_required": PreconditionFailed,
    "invalid_schema": InvalidSchema,
    "unsupported": InvalidSchema,
    "too_complex": TooComplex,
    "payload_too_large": PayloadTooLarge,
    "rate_limited": RateLimited,
    "not_ready": Unavailable,
    "busy": Unavailable,
    "storage_full": StorageFull,
    "internal": ServerError,
}
_CLASS_OF_GATEWAY_STATUS: Dict[int, Type[ApiError]] = {
    429: RateLimited,
    500: ServerError,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def api_error_class(code: Optional[str], status: int) -> Type[ApiError]:
    """The class for a problem's code; where there is no problem document, for what a gateway answered."""
    if code is None:
        return _CLASS_OF_GATEWAY_STATUS.get(status, ApiError)
    return _CLASS_OF_CODE.get(code, ApiError)
