"""Shared by the tests of tools and of whole files."""

INSERT = {"object": "Account", "operation": "insert"}
