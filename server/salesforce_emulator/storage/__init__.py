"""What lies on disk: the database, the records in it, and the locks between processes."""
