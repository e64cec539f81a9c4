"""The storage of the org on disk: the database, the records in it, and the locks between processes."""
