"""Reads the multipart body that creates a job together with its data (Bulk API 2.0 guide, Create a Job)."""

from collections.abc import AsyncGenerator, AsyncIterator

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from salesforce_emulator import errors
from salesforce_emulator.api.request_body import body_chunks

MAX_CHARACTERS = 100_000  # of the data (Bulk API 2.0 guide, Create a Job)
MAX_BODY_BYTES = 4 * MAX_CHARACTERS + 100_000  # data of 4 bytes a character, the job's JSON and the boundaries


def is_multipart(request: Request) -> bool:
    """Return whether the request says that its body is multipart form data."""
    return request.headers.get("Content-Type", "").lower().startswith("multipart/form-data")


async def job_and_content(request: Request) -> tuple[bytes, bytes]:
    """Return the parts `job` (JSON) and `content` (CSV) of a multipart body.

    This order of the parts is documented; assumed: either order is accepted.

    Raises:
        ApiError: the body is malformed or lacks a part (400), or is larger than MAX_BODY_BYTES (413).
    """
    try:
        form = await _CompleteMultiPartParser(request.headers, body_chunks(request, MAX_BODY_BYTES)).parse()
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise errors.invalid_job(f"The multipart body can't be read: {error}") from None
    try:
        return await _bytes(form.get("job")), await _bytes(form.get("content"))
    finally:
        await form.close()


def check_characters(content: bytes) -> None:
    """Refuse data that is too long for a multipart body.

    Raises:
        ApiError: there are more than MAX_CHARACTERS characters (413).
    """
    if len(content.decode("utf-8", "replace")) > MAX_CHARACTERS:
        raise errors.too_large(MAX_CHARACTERS, "characters")


class _CompleteMultiPartParser(MultiPartParser):
    """A parser that refuses a body without its closing boundary (assumed).

    Starlette's own parser accepts such a body, and leaves the temporary file of the last part open.
    """

    def __init__(self, headers: Headers, stream: AsyncIterator[bytes]) -> None:
        super().__init__(headers, self._until_closing_boundary(stream), max_files=2, max_fields=2)
        self._has_ended = False

    def on_end(self) -> None:
        """Note that the parser has read the closing boundary."""
        self._has_ended = True

    async def _until_closing_boundary(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk
        if not self._has_ended:
            raise MultiPartException("Its closing boundary is missing.")


async def _bytes(part: UploadFile | str | None) -> bytes:
    if part is None:
        # assumed: code and text
        raise errors.invalid_job("A multipart body needs a part named job and a part named content")
    return await part.read() if isinstance(part, UploadFile) else part.encode()
