"""Converts between the registry's JSON and the methods' arguments and results."""

import json
from typing import Any, Dict, Mapping, Optional

import httpx

from ._engine.call import CallAnswer
from ._engine.reads import ReadAnswer
from ._engine.retry import parse_retry_after_ms
from ._subject import qualify
from .errors import BadAnswer, RegistryError, api_error_class
from .models import RegistryEvent, SchemaRecord
from .schema import SchemaInput, to_schema


def describe_schema(schema: SchemaInput) -> Dict[str, Any]:
    known = to_schema(schema)
    return {"format": known.format, "content": known.content}


def without_none(values: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def read_json(answer: CallAnswer) -> Any:
    try:
        return json.loads(answer.text)
    except ValueError:
        raise BadAnswer(answer.status, "The answer's body is not JSON.", answer.attempts) from None


def as_record(answer: ReadAnswer) -> SchemaRecord:
    return SchemaRecord.model_validate({**answer.entry.value, "stale": answer.stale})


def subject_of_record(value: Any) -> Optional[str]:
    return qualify(value["context"], value["subject"])


def refused_stream(response: httpx.Response, wall_ms: float) -> RegistryError:
    status = response.status_code
    if status < 400:
        return BadAnswer(status, f"The answer to an event stream has status {status}.", 1)
    try:
        problem = response.json()
    except (ValueError, httpx.ResponseNotRead):
        problem = None
    request_id = response.headers.get("X-Request-ID")
    retry_after_ms = parse_retry_after_ms(response.headers.get("Retry-After"), wall_ms)
    error_class = api_error_class(problem.get("code") if problem else None, status)
    return error_class(status=status, problem=problem, request_id=request_id, retry_after_ms=retry_after_ms, attempts=1)


def read_event(text: str) -> RegistryEvent:
    try:
        event = RegistryEvent.model_validate_json(text)
    except ValueError:
        event = None
    if event is None or not isinstance(event.data.get("seq"), int):
        # Reading it again would give the same event.
        raise BadAnswer(200, "An event of the stream cannot be read.", 1)
    return event
