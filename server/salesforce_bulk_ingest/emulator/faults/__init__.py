"""Faults on purpose: a plan of what goes wrong, by operation, count and probability."""
