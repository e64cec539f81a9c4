"""Deliberate faults in requests and jobs, and the journal of requests."""
