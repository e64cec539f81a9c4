"""An org that answers each request with the same job, as fast as it can, so that it is not what is measured.

`python -m tests.bench.still_org PORT`
"""

import asyncio
import json
import sys

JOB_ID = "750000000000001AAA"
JOB = json.dumps(
    {
        "id": JOB_ID,
        "operation": "insert",
        "object": "Contact",
        "createdById": "005000000000001AAA",
        "createdDate": "2026-01-01T00:00:00.000+0000",
        "systemModstamp": "2026-01-01T00:00:00.000+0000",
        "state": "Open",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 63.0,
        "jobType": "V2Ingest",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
        "numberRecordsProcessed": 100,
        "numberRecordsFailed": 1,
        "retries": 0,
        "totalProcessingTime": 100,
        "apiActiveProcessingTime": 90,
        "apexProcessingTime": 0,
    }
).encode()
USER = json.dumps({"organization_id": "00D000000000001AAA", "user_id": "005000000000001AAA"}).encode()


class StillOrg(asyncio.Protocol):
    """One connection of the org; its callers send requests without a body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            body = USER if request.startswith(b"GET /services/oauth2/") else JOB
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


async def main() -> None:
    """Answer on a port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(StillOrg, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
