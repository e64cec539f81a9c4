"""The processing of jobs: from an upload to records and result files."""
