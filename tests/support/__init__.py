"""Helpers that tests of several rooms share: orgs, servers, clients."""
