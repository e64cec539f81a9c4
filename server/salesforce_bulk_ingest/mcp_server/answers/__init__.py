"""One file for each answer of a tool: its model and its sentences."""
