"""Rows on their way in: a source, shaped, checked, cut into parts that fit a job."""
