"""CSV on bytes: dialect, header, records, blocks, cells, an index of rows, and writing."""
