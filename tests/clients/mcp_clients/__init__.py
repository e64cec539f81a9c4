"""MCP clients of other makers and other versions, each as a program that calls one tool a line."""
