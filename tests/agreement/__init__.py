"""Agreement: preflight and the embedded org judge cells alike, and both as a table of cells says."""
