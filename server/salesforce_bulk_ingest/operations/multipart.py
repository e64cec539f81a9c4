"""A strict parser of multipart create requests: it accepts only a body in which every parser finds the same job.

A multipart request creates, fills and closes a job at once. The policy is applied to the job that this parser finds, and
Salesforce acts on the job that its own parser finds, so a body that could be read in two ways is not accepted.
"""

import re
from dataclasses import dataclass

_CHARSET = r'(?:; ?charset="?(?:utf-8|us-ascii|iso-8859-1)"?)?'
_MULTIPART = re.compile(
    rf'multipart/form-data{_CHARSET}; ?boundary=("?)(?P<boundary>[\w\'()+,./:=?-]{{1,70}})\1{_CHARSET}',
    re.ASCII | re.IGNORECASE,
)
_PART_HEADER = re.compile(
    rf"content-type: ?(?!multipart|message)[\w.+-]+/[\w.+-]+{_CHARSET}|content-length: ?[0-9]+|"
    r"content-transfer-encoding: ?(?:7bit|8bit|binary)|"
    r'content-disposition: ?form-data; ?name="(?P<name>\w+)"(?:; ?filename="[^"\\\r\n]*")?'.encode(),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class JobWithRows:
    """The two parts of a multipart create.

    Attributes:
        job: the properties of the job, as JSON.
        content: the rows.
    """

    job: bytes
    content: bytes


def job_with_rows(content_type: str, body: bytes) -> JobWithRows | None:
    """Return the parts named `job` and `content` of a multipart body (Bulk API 2.0 guide, Create a Job).

    The result is None unless every parser must find the same two parts: delimiters where they belong and nowhere else,
    nothing around them, and no header that could be read in two ways.
    """
    form = _MULTIPART.fullmatch(content_type)
    pieces = body.split(b"--" + form["boundary"].encode()) if form else []
    if len(pieces) != 4 or pieces[0] or pieces[3] not in (b"--", b"--\r\n", b"--\n"):
        return None
    parts = dict(filter(None, map(_named_part, pieces[1:3])))
    return JobWithRows(parts[b"job"], parts[b"content"]) if parts.keys() == {b"job", b"content"} else None


def _named_part(part: bytes) -> tuple[bytes, bytes] | None:
    """Return name and content of the part between two delimiters, or None if it can be read in two ways."""
    newline = b"\r\n" if part.startswith(b"\r\n") else b"\n"
    head, _, content = part.removeprefix(newline).partition(newline * 2)
    headers = [_PART_HEADER.fullmatch(line) for line in head.split(newline)]
    names = [header["name"] for header in headers if header and header["name"]]
    if not all(headers) or len(names) != 1 or not part.startswith(newline) or not content.endswith(newline):
        return None
    return names[0].lower(), content.removesuffix(newline)
