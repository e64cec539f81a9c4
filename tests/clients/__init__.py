"""Clients that people use, as they are published, against the embedded org and the MCP server: `make test-clients`."""
