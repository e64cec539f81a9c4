"""The command: `salesforce-bulk-ingest`, or `python -m salesforce_bulk_ingest`."""

import gc


def main() -> None:
    """Load the program and run it.

    All that it loads stays to the end, so nothing of it is looked through for garbage: that took a third of the time of
    a short command.
    """
    gc.disable()
    from salesforce_bulk_ingest.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
