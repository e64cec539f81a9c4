"""The web pages of the org, for people: jobs, objects, records, faults and requests."""
