"""Serves an org in its own process, which a test can kill: `python -m tests.salesforce_emulator.serve_org FOLDER`."""

import sys
from pathlib import Path

from salesforce_emulator import EmulatorConfig, create_app
from tests.support.asgi_server import running

if __name__ == "__main__":
    with running(create_app(EmulatorConfig(data_dir=Path(sys.argv[1])))) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()
