"""The composition root: opens the services once, builds both surfaces on them, runs the ports.

settings -> embedded org (if asked for) -> services -> MCP server and REST app -> ports
"""
