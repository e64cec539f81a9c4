"""The results of jobs: downloads, pages, error groups, the source order, and rows to retry."""
