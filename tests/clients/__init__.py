"""Clients that people use, as they are published, against the embedded org: `make test-clients`."""
