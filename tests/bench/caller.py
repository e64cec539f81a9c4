"""An HTTP client that takes as little time as possible, so that the server is what is measured."""

import hashlib
import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salesforce_emulator import ACCESS_TOKEN

BLOCK_BYTES = 1 << 18
TIMEOUT_SECONDS = 120
SLOW_TICKS_PER_SECOND = 10
HEADERS = {"Authorization": f"Bearer {ACCESS_TOKEN}"}


@dataclass(frozen=True)
class Caller:
    """A client of the server on one port.

    Attributes:
        port: port on 127.0.0.1.
        base: path of the ingest resource on the server.
    """

    port: int
    base: str

    def json(self, method: str, path: str = "", body: object = None) -> Any:
        """Send a small request; return the JSON of the response, or None for an empty body."""
        headers = {**HEADERS, "Content-Type": "application/json"}
        status, answer = self._call(method, path, headers, None if body is None else json.dumps(body).encode())
        if status >= 300:
            raise RuntimeError(f"{method} {self.base}{path}: {status} {answer[:200]!r}")
        return json.loads(answer) if answer else None

    def upload(self, job_id: str, file: Path) -> float:
        """Upload the file; return the seconds until the response."""
        headers = {**HEADERS, "Content-Type": "text/csv", "Content-Length": str(file.stat().st_size)}
        started = time.perf_counter()
        with file.open("rb") as rows:
            status, answer = self._call("PUT", f"/{job_id}/batches", headers, rows)
        if status != 201:
            raise RuntimeError(f"upload: {status} {answer[:200]!r}")
        return time.perf_counter() - started

    def download(self, job_id: str, size: int) -> float:
        """Read a result as fast as it comes; return the seconds until its end."""
        started = time.perf_counter()
        read = 0
        buffer = bytearray(BLOCK_BYTES)
        connection, response = self._result(job_id)
        while count := response.readinto(buffer):
            read += count
        connection.close()
        if read != size:
            raise RuntimeError(f"download: {read} bytes in place of {size}")
        return time.perf_counter() - started

    def download_slowly(self, job_id: str, bytes_per_second: int) -> tuple[float, str]:
        """Read a result at a steady pace; return the seconds until its end, and its SHA-256."""
        started = time.perf_counter()
        digest, ticks = hashlib.sha256(), 0
        connection, response = self._result(job_id)
        while block := response.read(bytes_per_second // SLOW_TICKS_PER_SECOND):
            digest.update(block)
            ticks += 1
            time.sleep(max(0.0, started + ticks / SLOW_TICKS_PER_SECOND - time.perf_counter()))
        connection.close()
        return time.perf_counter() - started, digest.hexdigest()

    def _result(self, job_id: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = self._connection()
        connection.request("GET", f"{self.base}/{job_id}/unprocessedrecords", headers=HEADERS)
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"download: {response.status} {response.read(200)!r}")
        return connection, response

    def _call(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, bytes]:
        connection = self._connection()
        connection.request(method, f"{self.base}{path}", body, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, answer

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS, blocksize=BLOCK_BYTES)
