"""Ingest jobs: their data in the database and in files, and their states."""
