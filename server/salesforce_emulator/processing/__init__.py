"""From an upload to records and result files: CSV, cells, rows, operations, and the worker that drives them."""
