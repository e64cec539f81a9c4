"""Load data into Salesforce through Bulk API 2.0 ingest jobs: an MCP server, a REST gateway and an embedded org."""

__version__ = "0.1.0"
