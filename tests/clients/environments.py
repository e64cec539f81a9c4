"""Python environments of clients that can't be installed beside the product.

`python -m tests.clients.environments` builds them.
"""

import subprocess
import venv
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / ".venv-clients"
PACKAGES = {
    # Its import fails with a later pydantic.
    "python_1": ("mcp==1.12.4", "pydantic<2.12"),
    "fastmcp_client": ("fastmcp==4.1.2",),
    "converters": ("google-genai==3.6.1", "openai-agents==0.24.0"),
    "checkers": ("jbt-mcpcheck==0.1.1", "tdqs==0.1.0"),
}
"""What each script of `mcp_clients` needs, and the programs that check a server."""


def python_of(script: str) -> Path:
    """Return the Python that runs a script."""
    return FOLDER / script / "bin" / "python"


def build(script: str, packages: tuple[str, ...]) -> None:
    """Build the environment of a script anew."""
    venv.create(FOLDER / script, clear=True, with_pip=True)
    pip = (python_of(script), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    subprocess.run([*pip, *packages], check=True)


if __name__ == "__main__":
    for script, packages in PACKAGES.items():
        build(script, packages)
