"""What users touch: tools, resources, REST. Each parses, calls `ingest` and presents; none knows another."""
