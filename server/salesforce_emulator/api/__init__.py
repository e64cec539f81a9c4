"""The HTTP resources: what a client can ask of the org, and how each answer looks on the wire."""
