"""The complaint about an error that a user can cause."""

import re
import sys
from collections.abc import Sequence

import typer

from salesforce_bulk_ingest.base.errors import IngestError
from salesforce_bulk_ingest.cli.console import PROGRAM
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.setting_types import MAY_BE_A_TOKEN
from salesforce_bulk_ingest.settings_sources import BadSetting


def complaint_about(error: BaseException) -> str | None:
    """Return what is wrong, as a sentence; None for an error that a user can't cause."""
    only = _only_error(error)
    if isinstance(only, typer.TyperException):
        complaint = _usage_complaint(only)
    elif isinstance(only, BadSetting | CantStart | SalesforceError | IngestError):
        complaint = str(only)
    else:
        return None
    return _without_secrets(complaint, sys.argv[1:])


def _usage_complaint(error: typer.TyperException) -> str:
    show = getattr(error, "format_message", error.__str__)
    complaint = show()
    end = "" if complaint.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    return f"{complaint}{end} See `{command} --help`."


def _without_secrets(complaint: str, arguments: Sequence[str]) -> str:
    """Return the complaint without those of the arguments, or of their values, that may be secrets in the wrong place."""
    parts = (part for argument in arguments for part in (argument, *re.split("[=:]", argument)))
    secrets = [secret for part in parts if MAY_BE_A_TOKEN.fullmatch(part) for secret in (part, *part.splitlines())]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        complaint = complaint.replace(secret, "***")
    return complaint


def _only_error(error: BaseException) -> BaseException:
    """Return the only error of a group, or of the groups in it; the group itself if it has several errors."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
