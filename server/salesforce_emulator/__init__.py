"""An emulated Salesforce org that serves Bulk API 2.0 ingest over HTTP, for use without a real org.

Comments and docstrings state where a fact about Salesforce comes from: "documented" (or the name of the page), "seen" on a
real org or in public code, fixtures and threads, or "assumed" where no source is conclusive.
"""

from starlette.applications import Starlette

from salesforce_emulator.config import (
    ACCESS_TOKEN,
    CALLBACK_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    ORG_FILE,
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
    "ORG_FILE",
    "PASSWORD",
    "USERNAME",
    "Assumptions",
    "BadChoice",
    "Choices",
    "EmulatorConfig",
    "Limits",
    "check_public_key",
    "create_app",
    "is_callback_url",
    "parse_choices",
]


def create_app(config: EmulatorConfig) -> Starlette:
    """Return the ASGI application of an embedded org; its lifespan opens the data folder and starts the worker."""
    # Loaded for the first org only: a program that may have one, and has none, starts without its parsers and pages.
    from salesforce_emulator.app import create_app

    return create_app(config)


def check_public_key(pem: str) -> None:
    """Raise ValueError where the text is neither a PEM file of an RSA key nor a certificate of one."""
    from salesforce_emulator.api.grants import public_key

    public_key(pem)
