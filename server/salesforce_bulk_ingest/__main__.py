"""`python -m salesforce_bulk_ingest`."""

from salesforce_bulk_ingest.cli import main

main()
