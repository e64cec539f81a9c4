"""The sources of rows, the mapping of their columns, the plan of an upload, and the parts of an upload."""
