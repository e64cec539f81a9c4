"""An embedded org that speaks Bulk API 2.0 ingest on a real socket, for when there is no Salesforce to talk to."""

from salesforce_emulator.api.oauth import public_key
from salesforce_emulator.app import create_app
from salesforce_emulator.config import (
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
