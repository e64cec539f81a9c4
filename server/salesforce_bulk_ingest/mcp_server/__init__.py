"""The MCP server: tools, resources, and what a model is told."""
