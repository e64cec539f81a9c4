"""The nine operations on ingest jobs, and the rules around them."""
