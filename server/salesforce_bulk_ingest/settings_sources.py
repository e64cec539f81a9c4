"""The three sources of `Settings`: flags, then environment variables, then `settings.toml`.

The file may have a table for each of several orgs, `[orgs.NAME]`. The one that is chosen by name takes the place of every
setting of the top level, and of every variable, that says which org to call or how to log in.

The environment and the file are parameters, so that only the caller decides what is read. A value that can't be
used is reported with the flag, the variable or the file that it came from.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from salesforce_bulk_ingest.base.private_files import is_private
from salesforce_bulk_ingest.base.text import as_sentence
from salesforce_bulk_ingest.base.toml import toml_values
from salesforce_bulk_ingest.setting_types import MAY_BE_A_TOKEN, ORG_NAME
from salesforce_bulk_ingest.settings import (
    ENV_NAMES,
    FILE_NAMES,
    FLAGS,
    ORG_SETTINGS,
    SECRETS,
    Settings,
    is_about_salesforce,
)

Value = TypeVar("Value")

ORGS = "orgs"
"""The name of the table of tables of orgs."""

_INSTANCE = ("instance", "instance_url")
_JWT = ("jwt_key_file", "username", "certificate_file")

RIVALS = {
    "instance": ("instance_url", "org"),
    "instance_url": ("instance", "org"),
    "access_token": ("org", *_JWT, "refresh_token", "client_secret"),
    "org": ("access_token", *_INSTANCE, "login_url", *_JWT, "refresh_token", "client_secret"),
    "jwt_key_file": ("access_token", "org", "refresh_token", "client_secret"),
    "refresh_token": ("access_token", "org", *_JWT),
    "client_secret": ("access_token", "org", *_JWT),
}
"""For each setting that names an org or a way to log in: the other settings with this purpose that are ignored in the file,
where the environment has the setting."""

PLAINER = {
    **dict.fromkeys(("bool_parsing", "bool_type"), "expected true or false"),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"),
        "expected a whole number, in digits alone{example}",
    ),
    **dict.fromkeys(("string_type", "path_type"), "expected a text in quotes{example}"),
    "string_too_short": "expected a text that is not empty{example}",
    "tuple_type": "expected texts in quotes, in brackets and with commas between them",
    "literal_error": "expected {expected}",
    "greater_than_equal": "expected {ge} or more",
    "less_than_equal": "expected {le} or less",
}
"""The messages that replace those of pydantic, by the type of the pydantic error, with the names of its context; `example`
stands for the default of the setting."""

_CAMEL_CASE = re.compile("(?<=[a-z])(?=[A-Z])")
"""The places of a name such as accessToken where another word begins."""

SIMILARITY = 0.75
"""The similarity, from 0 to 1, from which on an unknown name is reported as a misspelling of a known name."""

SIMILARITY_ORGS = 0.6
"""The same for the names of orgs, most of which are short."""


class BadSetting(Exception):
    """A setting can't be used; the message is one line that names the source of the value and what is expected."""


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """Return the settings from all three sources: a flag overrides the environment, the environment overrides the file.

    Args:
        flags: values by the name of the setting; None or an empty list where the flag was not given.
        environ: the environment of the process.
        file: the path of `settings.toml`; the file need not exist.

    Raises:
        BadSetting: a value, a name or the file can't be used.
    """
    given = {name: value for name, value in flags.items() if value not in (None, (), [])}
    from_env: dict[str, object] = {name: environ[env] for name, env in ENV_NAMES.items() if environ.get(env)}
    from_file = _read_file(file) if file is not None else {}
    orgs = _tables_in(from_file.pop(ORGS, {}))
    org_name = given.get("org_name") or from_env.get("org_name")
    from_table: dict[str, object] = {}
    if given.get("emulator"):
        from_env, from_file = _without_org(from_env), _without_org(from_file)
    elif org_name is not None:
        from_table = _chosen(orgs, str(org_name), "--org" if "org_name" in given else ENV_NAMES["org_name"], file)
        from_env, from_file = _without_org(from_env) | {"org_name": org_name}, _without_org(from_file)
    replaced = {rival for name in from_env for rival in RIVALS.get(name, ())}
    from_file = {name: value for name, value in from_file.items() if name not in replaced}
    try:
        return Settings.model_validate({**from_file, **from_table, **from_env, **given})
    except ValidationError as error:
        sources = {name: f"{name} in {file}" for name in from_file}
        sources |= {name: f"{name} in {as_table(str(org_name))} of {file}" for name in from_table}
        sources |= {name: ENV_NAMES[name] for name in from_env}
        sources |= {name: _flag_or_name(name) for name in given}
        raise BadSetting(_explain(error, sources)) from None


def value_of(flag: str, typed: object, type_: TypeAdapter[Value]) -> Value:
    """Return the value of an option that is no setting; what its type does not take is refused in the words of the settings.

    Raises:
        BadSetting: the type does not take what was typed.
    """
    try:
        return type_.validate_python(typed)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadSetting(f"{flag}: {as_sentence(_plainer(first))}") from None


def nearest_name(name: str, known: Iterable[str], similarity: float = SIMILARITY) -> str | None:
    """Return the known name that an unknown name may be a misspelling of, or None if no known name is similar."""
    nearest = get_close_matches(name, list(known), n=1, cutoff=similarity)
    return nearest[0] if nearest else None


def _read_file(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as opened:
            data = opened.read()
            mode = os.fstat(opened.fileno()).st_mode
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSetting(f"{file} can't be read: {error.strerror}.") from None
    try:
        values = toml_values(data)
    except ValueError as error:
        raise BadSetting(f"{file} is not TOML: {error}.") from None
    _refuse_unknown_names(values, file)
    has_secret = any(SECRETS & settings.keys() for settings in (values, *_tables_in(values.get(ORGS, {})).values()))
    if has_secret and not is_private(mode):
        raise BadSetting(f"{file} holds a secret and others can read it: run `chmod 600 '{file}'`.")
    return values


def org_names(file: Path) -> list[str]:
    """Return the names of the tables of orgs in the settings file.

    Raises:
        BadSetting: the file can't be used.
    """
    return list(_tables_in(_read_file(file).get(ORGS, {})))


def as_table(org_name: str) -> str:
    """Return the header of the table of an org."""
    return f"[{ORGS}.{org_name}]"


def _without_org(settings: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if not is_about_salesforce(name)}


def _tables_in(orgs: object) -> dict[str, dict[str, object]]:
    """Return the settings of each org, by its name; what is no table has been refused with the file."""
    return orgs if isinstance(orgs, dict) else {}


def _chosen(orgs: Mapping[str, dict[str, object]], org_name: str, source: str, file: Path | None) -> dict[str, object]:
    """Return the settings of the org with this name, which is not shown: it may be a secret in the wrong place."""
    if org_name in orgs:
        return orgs[org_name]
    if not orgs:
        raise BadSetting(f"{source}: there is no table {as_table('NAME')} in {file}.")
    in_any_case = {name.lower(): name for name in orgs}
    nearest = nearest_name(org_name.lower(), in_any_case, SIMILARITY_ORGS)
    meant = f"; did you mean {in_any_case[nearest]!r}?" if nearest else "."
    raise BadSetting(f"{source}: {file} has no such org, only {listed_orgs(orgs)}{meant}")


def listed_orgs(names: Iterable[str]) -> str:
    """Return a part of a sentence that lists the names of orgs."""
    *others, last = (repr(name) for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def _refuse_unknown_names(values: Mapping[str, object], file: Path) -> None:
    for name, value in values.items():
        if name == ORGS:
            _refuse_unknown_tables(value, file)
        elif name not in FILE_NAMES or (name == "org" and isinstance(value, dict)):
            meant = _meant_table(name, value) if isinstance(value, dict) else _meant(name, (*FILE_NAMES, ORGS))
            raise BadSetting(f"{file}: {_shown(name)} is not a setting; {meant}")


def _refuse_unknown_tables(orgs: object, file: Path) -> None:
    if not isinstance(orgs, dict) or not all(isinstance(settings, dict) for settings in orgs.values()):
        raise BadSetting(f"{file}: the settings of an org stand in a table of their own, such as {as_table('uat')}.")
    for org_name, settings in orgs.items():
        if not ORG_NAME.fullmatch(org_name):
            raise BadSetting(
                f"{file}: the name of an org has at most 40 letters, digits, - and _, as in {as_table('uat')}."
            )
        for name in (name for name in settings if name not in ORG_SETTINGS):
            where = f"{file}: {_shown(name)} in {as_table(org_name)}"
            if name in FILE_NAMES:
                raise BadSetting(f"{where} is the same for all orgs: it has to stand above the first table.")
            raise BadSetting(f"{where} is not a setting; {_meant(name, ORG_SETTINGS)}")


def _shown(name: str) -> str:
    return "a name that may be a secret" if MAY_BE_A_TOKEN.fullmatch(name) else repr(name)


def _meant_table(name: str, settings: Mapping[str, object]) -> str:
    """Return what a table of an unknown name may stand for: an org, or a group of settings, which are not grouped here."""
    if settings and settings.keys() <= FILE_NAMES and not any(map(is_about_salesforce, settings)):
        of_org = f", or in that of an org: {as_table('NAME')}" if settings.keys() <= ORG_SETTINGS else ""
        return f"what is in it stands above the first table{of_org}."
    if not ORG_NAME.fullmatch(name):
        return _meant(name, ())
    if name != "org" and nearest_name(name.lower(), (ORGS,)) is not None:
        return f"did you mean {ORGS!r}?"
    return f"did you mean {as_table('NAME' if name == 'org' else name)}?"


def _meant(name: str, known: Iterable[str]) -> str:
    """Return what an unknown name may stand for: a setting in another spelling, its variable or its option."""
    plain = _CAMEL_CASE.sub("_", name).lower().lstrip("-").replace("-", "_")
    names = {env.lower(): setting for setting, env in ENV_NAMES.items() if setting in known} | {
        one: one for one in known
    }
    nearest = names.get(nearest_name(plain, names) or "")
    if nearest is not None:
        return f"did you mean {nearest!r}?"
    if plain in FLAGS and plain not in FILE_NAMES:
        return f"it is the option {FLAGS[plain].name} of a command alone."
    return "see the table in docs/configuration.md."


def _explain(error: ValidationError, sources: Mapping[str, str]) -> str:
    """Return the first error in one line, without the value, which may be a secret in the wrong setting."""
    first = error.errors(include_url=False, include_input=False)[0]
    names = [str(first["loc"][0])] if first["loc"] else first.get("ctx", {})["settings"]
    where = " and ".join(sources.get(name) or _flag_or_name(name) for name in names)
    return f"{where}: {as_sentence(_message(first, names[0]))}"


def _message(error: ErrorDetails, name: str) -> str:
    default = Settings.model_fields[name].default
    return _plainer(error, f", such as {json.dumps(default)}" if isinstance(default, str | int) else "")


def _plainer(error: ErrorDetails, example: str = "") -> str:
    plainer = PLAINER.get(error["type"])
    if plainer is None:
        return error["msg"].removeprefix("Value error, ")
    return plainer.format(example=example, **error.get("ctx", {}))


def _flag_or_name(name: str) -> str:
    return FLAGS[name].name if name in FLAGS else name
