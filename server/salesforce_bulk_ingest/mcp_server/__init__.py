"""The MCP server: its tools and resources, and the answers that models read."""
