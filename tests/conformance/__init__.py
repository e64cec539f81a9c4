"""The protocol's own conformance tests, against `serve` and against our stack with their fixtures: `make test-conformance`."""
