"""The complaint about an error that a user can cause."""

import typer

from salesforce_bulk_ingest.cli.console import PROGRAM
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings_sources import BadSetting


def complaint_about(error: BaseException) -> str | None:
    """Return what is wrong, as a sentence; None for an error that a user can't cause."""
    only = _only_error(error)
    if isinstance(only, typer.TyperException):
        return _usage_complaint(only)
    return str(only) if isinstance(only, BadSetting | CantStart) else None


def _usage_complaint(error: typer.TyperException) -> str:
    show = getattr(error, "format_message", error.__str__)
    complaint = show()
    end = "" if complaint.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    return f"{complaint}{end} See `{command} --help`."


def _only_error(error: BaseException) -> BaseException:
    """Return the only error of a group, or of the groups in it; the group itself if it has several errors."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
