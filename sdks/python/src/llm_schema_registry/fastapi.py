"""FastAPI: request bodies validated by a registered schema before a handler sees them."""

from typing import Any, Awaitable, Callable, Union

from fastapi import HTTPException, Request

from .client import SchemaRegistryClient


def validated(client: SchemaRegistryClient, subject: str, version: Union[int, str] = "latest") -> Callable[[Request], Awaitable[Any]]:
    """A dependency that gives the request's JSON body, or answers 422 with the places that are wrong.

    ``body: dict = Depends(validated(client, "user-profile"))``
    """

    async def read(request: Request) -> Any:
        try:
            body = await request.json()
        except ValueError:
            raise HTTPException(400, "The body is not JSON.") from None
        record = await client.get_version(subject, version)
        result = await client.explain_validation(body, record.id)
        if not result.valid:
            places = [
                {"loc": ["body", *error.pointer.split("/")[1:]], "msg": error.message, "type": error.keyword} for error in result.errors
            ]
            raise HTTPException(422, places)
        return body

    return read
