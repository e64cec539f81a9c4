"""The schema of the org: its objects and their fields, standard and custom."""
