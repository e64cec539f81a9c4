"""An embedded org that speaks Bulk API 2.0 ingest on a real socket, for when there is no Salesforce to talk to."""

from .api.login import public_key
from .app import create_app
from .config import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    Assumptions,
    BadChoice,
    Choices,
    EmulatorConfig,
    Limits,
    chosen,
)

__all__ = [
    "ACCESS_TOKEN",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "Assumptions",
    "BadChoice",
    "Choices",
    "EmulatorConfig",
    "Limits",
    "chosen",
    "create_app",
    "public_key",
]
