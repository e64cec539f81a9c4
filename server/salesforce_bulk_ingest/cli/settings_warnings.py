"""The warnings at the start of a command about valid settings that may not be what the user meant."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from salesforce_bulk_ingest.app.chosen_files import audit_file
from salesforce_bulk_ingest.app.chosen_login import configured_org, login_mistake
from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.cache.audit_log import AuditLog
from salesforce_bulk_ingest.cli.console import PROGRAM
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.settings import EMULATOR_IGNORES, ENV_NAMES, FLAGS, Settings, is_about_salesforce
from salesforce_bulk_ingest.settings_sources import as_table, nearest_name

OURS = "BULK_INGEST_"
SIMILARITY_OURS = 0.6
SIMILARITY_SALESFORCE = 0.8
"""Higher than `SIMILARITY_OURS`, because variables of other tools begin with SALESFORCE_, too: SALESFORCE_ORG_ID is no
misspelling of SALESFORCE_ORG."""


def settings_warnings(settings: Settings, environ: Mapping[str, str], home: Path) -> list[str]:
    """Return the warnings, a line each, without the values of variables, which may be secrets."""
    has_no_variables = settings.emulator or settings.org_name is not None
    return [
        *_ignored_variables(environ, settings.org_name),
        *_unread_variables(environ, has_no_variables),
        *_wide_roots(
            settings, "upload_roots", "every file under {} may be uploaded: name the folder of the data", home
        ),
        *_wide_roots(settings, "save_roots", "callers may make files anywhere under {}: name a folder for them", home),
    ]


def production_warning(settings: Settings, paths: LocalPaths) -> str | None:
    """Return the warning about a server that may write into production, whatever org its login opens; None for others.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user.
    """
    org = configured_org(settings, paths)
    if settings.emulator or settings.read_only or settings.expect_org is not None or not org.may_be_production:
        return None
    line = 'expect_org = "00D..."'
    return (
        f"this server may write into production ({org.org.host if org.org else org.login}), whichever org its login opens: "
        f"paste {line} into {place_of_org(settings, paths.settings_file)}; `{PROGRAM} check` prints the line with the id."
    )


def login_warning(settings: Settings, paths: LocalPaths) -> str | None:
    """Return the warning about a login that is known to fail, so that no call reaches the org; None for others.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user.
    """
    mistake = None if settings.emulator else login_mistake(settings, paths)
    return None if mistake is None else f"no call reaches the org: {mistake}"


def audit_warning(settings: Settings, paths: LocalPaths) -> str | None:
    """Return the warning about an audit log that can't be written, because of which all changes are refused.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user.
    """
    if settings.read_only or (settings.emulator and settings.audit is None):
        return None
    try:
        AuditLog(audit_file(settings, paths.state_dir)).check_writable()
    except StorageFailure as failure:
        return str(failure)
    return None


def place_of_org(settings: Settings, settings_file: Path) -> str:
    """Return where the settings of the org stand in the settings file, as a part of a sentence."""
    return f"{as_table(settings.org_name)} of {settings_file}" if settings.org_name else f"the top of {settings_file}"


def _ignored_variables(environ: Mapping[str, str], org_name: str | None) -> Iterator[str]:
    """Yield one warning that names the variables in whose place the table of an org counts."""
    about_org = [env for name, env in ENV_NAMES.items() if is_about_salesforce(name) and name != "org_name"]
    ignored = [env for env in about_org if environ.get(env)]
    if org_name is not None and ignored:
        yield f"{as_table(org_name)} counts, so {' and '.join(ignored)} {'is' if len(ignored) == 1 else 'are'} ignored."


def _unread_variables(environ: Mapping[str, str], ignores_salesforce: bool) -> Iterator[str]:
    for name in _unknown(environ):
        if name.startswith(OURS):
            yield f"{name} is not read: there is no such setting."
        elif name.startswith(EMULATOR_IGNORES) and not ignores_salesforce:
            if nearest := _nearest_variable(name, EMULATOR_IGNORES, SIMILARITY_SALESFORCE):
                yield f"{name} is not read: did you mean {nearest}?"


def misspelled_variable(environ: Mapping[str, str]) -> str | None:
    """Return what is wrong about a variable that is nearly one of this program, or None.

    It is no warning: the variable may be a rule of the policy, which nobody would miss before it is needed.
    """
    for name in _unknown(environ):
        if name.startswith(OURS) and (nearest := _nearest_variable(name, OURS, SIMILARITY_OURS)):
            return f"{name} is not a setting: did you mean {nearest}?"
    return None


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that have a value and are none of this program, in the order of their names."""
    known = ENV_NAMES.values()
    return sorted(name for name, value in environ.items() if value and name not in known)


def _nearest_variable(name: str, prefix: str, similarity: float) -> str | None:
    """Return the known variable that a variable may be a misspelling of; the names are compared without their prefix."""
    endings = [known.removeprefix(prefix) for known in ENV_NAMES.values() if known.startswith(prefix)]
    ending = nearest_name(name.removeprefix(prefix), endings, similarity)
    return None if ending is None else f"{prefix}{ending}"


def _wide_roots(settings: Settings, name: str, warning: str, home: Path) -> Iterator[str]:
    """Yield a warning for each folder of a setting that contains the home folder, where private files lie."""
    for root in getattr(settings, name):
        if home.resolve().is_relative_to(root.resolve()):
            yield f"{warning.format(root)} alone as {FLAGS[name].name}."
