"""The command: `salesforce-bulk-ingest`, or `python -m salesforce_bulk_ingest`."""

import os
import signal

from salesforce_bulk_ingest.cli.loading import loading


def main() -> None:
    """Load the program and run it.

    Before and after the command, Ctrl-C ends the process at once: there is nothing to close, and an interrupted import would
    end in a traceback.
    """
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as in the background of a script
    if not is_ignored:
        signal.signal(signal.SIGINT, _end_at_once)
    with loading():
        from salesforce_bulk_ingest.cli.log import log_crashes
        from salesforce_bulk_ingest.cli.main import main as run

    log_crashes()
    try:
        if not is_ignored:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        _end_at_once()
    finally:
        if not is_ignored:
            signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(number: int = signal.SIGINT, frame: object = None) -> None:
    if os.isatty(2):
        os.write(2, b"\n")  # after the ^C that the terminal shows
    os._exit(128 + number)


if __name__ == "__main__":
    main()
