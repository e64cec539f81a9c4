"""Rows on their way out: what a job did with each row, kept, paged, and why rows failed."""
