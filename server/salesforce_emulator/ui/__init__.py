"""A window into the org for people: pages that show its jobs, its records and what is done to its requests."""
