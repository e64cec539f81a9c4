"""What came back from a job: pages, error groups, and rows to retry."""
