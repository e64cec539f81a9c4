"""An embedded org that speaks Bulk API 2.0 ingest on a real socket, for when there is no Salesforce to talk to."""

from .app import create_app
from .config import ACCESS_TOKEN, Assumptions, EmulatorConfig, Limits

__all__ = ["ACCESS_TOKEN", "Assumptions", "EmulatorConfig", "Limits", "create_app"]
