"""The HTTP resources of the org, and the JSON, CSV and XML of their responses."""
