"""An MCP server of one tool on the same SDK, which makes the same call to Salesforce and nothing else: the least that a tool costs.

`python -m tests.bench.bare_tool PORT ORG_PORT`
"""

import sys
from typing import Any

import httpx2
import uvicorn
from mcp.server.mcpserver import MCPServer

from salesforce_emulator import ACCESS_TOKEN

TOOL = "get-ingest-job-status"
HEADERS = {"Authorization": f"Bearer {ACCESS_TOKEN}"}


def main() -> None:
    """Serve the tool on a port, in front of the org on another."""
    port, org_port = int(sys.argv[1]), int(sys.argv[2])
    server = MCPServer("bare", log_level="WARNING")
    http = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{org_port}/services/data/v63.0/jobs/ingest", trust_env=False)

    @server.tool(name=TOOL)
    async def get_job(jobId: str) -> dict[str, Any]:
        """Get a job."""
        answer = await http.get(f"/{jobId}", headers=HEADERS)
        job: dict[str, Any] = answer.raise_for_status().json()
        return job

    uvicorn.run(server.streamable_http_app(), port=port, log_level="warning", http="h11")


if __name__ == "__main__":
    main()
