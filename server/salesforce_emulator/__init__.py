"""An emulated Salesforce org that serves Bulk API 2.0 ingest over HTTP, for use without a real org.

Comments and docstrings state where a fact about Salesforce comes from: "documented" (or the name of the page), "seen" on a
real org or in public code, fixtures and threads, or "assumed" where no source is conclusive.
"""

from salesforce_emulator.api.grants import public_key
from salesforce_emulator.app import create_app
from salesforce_emulator.config import (
    ACCESS_TOKEN,
    CALLBACK_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    USERNAME,
    Assumptions,
    BadChoice,
    Choices,
    EmulatorConfig,
    Limits,
    is_callback_url,
    parse_choices,
)

__all__ = [
    "ACCESS_TOKEN",
    "CALLBACK_URL",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "PASSWORD",
    "USERNAME",
    "Assumptions",
    "BadChoice",
    "Choices",
    "EmulatorConfig",
    "Limits",
    "create_app",
    "is_callback_url",
    "parse_choices",
    "public_key",
]
