"""Ingest jobs: what is known of each, and how it moves through its states."""
