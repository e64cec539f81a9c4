"""One frozen `Settings`, from flags, then the environment, then `settings.toml`.

The environment and the file are parameters, so that nothing reads them behind anybody's back. A value that can't be
used names the flag, variable or file it came from.
"""

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from salesforce_bulk_ingest.salesforce.auth import LOOPBACK_HOSTS, checked_token, instance_url

APP_NAME = "salesforce-bulk-ingest"
SPOOL = "spool"
SETTINGS_FILE = "settings.toml"
EMULATOR_IGNORES = "SALESFORCE_"

HOMES = (Path("/home"), Path("/Users"))
SYSTEM_FOLDERS = frozenset(
    {"applications", "bin", "boot", "dev", "etc", "lib", "library", "proc", "program files", "program files (x86)", "run",
     "sbin", "sys", "system", "usr", "windows"}
)  # fmt: skip

API_VERSION = re.compile(r"(4[1-9]|[5-9]\d)\.0")
"""Ingest jobs exist from 41.0 on (Bulk API 2.0 guide, Introduction)."""

LEAST_UPLOAD_BYTES = 1_000
MOST_UPLOAD_BYTES = 150_000_000 * 3 // 4
"""What 150 MB of base64 stand for: the limit of one upload is measured in those (Bulk API 2.0 guide, Upload Job Data)."""

HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://{HOST.pattern}|null", re.ASCII | re.IGNORECASE)
"""As in a browser's Origin header (RFC 6454, 7): pages without an origin of their own send `null`."""

MAY_BE_A_TOKEN = re.compile(r".*!.*|[^/\\]{60,}")
"""Access tokens are one long word, most with an exclamation mark; no usual folder is."""

RIVALS = {
    "instance": ("instance_url", "org"),
    "instance_url": ("instance", "org"),
    "access_token": ("org",),
    "org": ("access_token", "instance", "instance_url"),
}
"""Other ways to say the same: one in the environment beats these in the file, as a value beats the same setting's."""


PLAINER = dict.fromkeys(("bool_parsing", "bool_type"), "expected true or false")
"""What pydantic tells of its own inside, by the type of its error."""

NEAR = 0.75
"""How like a known name an unknown one has to be, from 0 to 1, to be taken for that one misspelt."""


class BadSetting(Exception):
    """A setting that can't be used; the message is one line and says where it came from and what is expected."""


def _setting(
    description: str, default: Any = None, *, env: str | None = None, flag: str | None = None, file: bool = True
) -> Any:
    """A field with the names it goes by outside: a flag, an environment variable, and its own name in the file."""
    return Field(default=default, description=description, json_schema_extra={"env": env, "flag": flag, "file": file})


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _split_folders(value: object) -> object:
    # As in PATH: a folder's name may hold commas.
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


def _folder(value: Path) -> Path:
    try:
        folder = Path(os.path.abspath(value.expanduser()))
    except RuntimeError:  # the home of a user who is not there
        folder = value
    if not folder.is_dir():
        named = "" if MAY_BE_A_TOKEN.fullmatch(str(value)) else f", not {folder}"
        raise ValueError(f"expected a folder that exists{named}")
    return folder


def _api_version(value: str) -> str:
    if not API_VERSION.fullmatch(value):
        raise ValueError("expected a version such as 63.0, 41.0 or later")
    return value


def _upload_bytes(value: int) -> int:
    if not LEAST_UPLOAD_BYTES <= value <= MOST_UPLOAD_BYTES:
        raise ValueError(
            f"expected {LEAST_UPLOAD_BYTES:,} to {MOST_UPLOAD_BYTES:,}: Salesforce takes 150 MB an upload as base64, which "
            "makes four bytes of three, and advises 100,000,000 at most"
        )
    return value


def _host(value: str) -> str:
    if not HOST.fullmatch(value):
        raise ValueError("expected a name as in a Host header, such as bulk.example or bulk.example:8443")
    return value


def _origin(value: str) -> str:
    if not ORIGIN.fullmatch(value):
        raise ValueError(
            "expected scheme and host and nothing after, such as https://app.example or http://localhost:3000"
        )
    return value


def _token(value: SecretStr) -> SecretStr:
    return SecretStr(checked_token(value.get_secret_value()))


def _complaint(message: str, *settings: str) -> PydanticCustomError:
    """A complaint about several settings together; where they come from is added when it is shown."""
    return PydanticCustomError("setting", "{message}", {"message": message, "settings": settings})


Folders = Annotated[tuple[Annotated[Path, AfterValidator(_folder)], ...], BeforeValidator(_split_folders)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)]
Operations = Annotated[tuple[Literal["delete", "hardDelete"], ...], BeforeValidator(_split)]
ApiVersion = Annotated[str, AfterValidator(_api_version)]
Origin = Annotated[str, AfterValidator(instance_url)]
UploadBytes = Annotated[int, AfterValidator(_upload_bytes)]
SpoolBytes = Annotated[int, Field(ge=0)]
SpoolDays = Annotated[int, Field(ge=1, le=365)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Name = Annotated[str, Field(min_length=1)]


class Settings(BaseModel):
    """Everything that can be set. Secrets are masked in `repr`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    access_token: Token | None = _setting("Bearer token for the org", env="SALESFORCE_AUTOMATION_API_KEY")
    instance: Origin | None = _setting("My Domain name, such as `acme.my`", env="SALESFORCE_INSTANCE")
    instance_url: Origin | None = _setting(
        "Whole URL in place of the instance; http only for this machine", env="SALESFORCE_INSTANCE_URL"
    )
    org: Name | None = _setting("Alias of a login of the official CLI, in place of a token", env="SALESFORCE_ORG")
    cli: Name = _setting("The official CLI's name on the PATH, or its full path", "sf", env="SALESFORCE_CLI")
    api_version: ApiVersion = _setting("API version of upstream calls", "63.0", env="SALESFORCE_API_VERSION")
    read_only: bool = _setting("Offer reading only", False, env="BULK_INGEST_READ_ONLY", flag="--read-only")
    allow_operation: Operations = _setting(
        "Allow `delete` or `hardDelete` jobs", (), env="BULK_INGEST_ALLOW_OPERATION", flag="--allow-operation"
    )
    upload_roots: Folders = _setting(
        "Folder to upload files from; else the working one, unless it is `/`, a home or the system's, or others are served",
        (),
        env="BULK_INGEST_UPLOAD_ROOT",
        flag="--upload-root",
    )
    max_upload_bytes: UploadBytes = _setting(
        "Most bytes of one upload through the tools, not through `/v1`; more goes in parts, a job for each",
        100_000_000,
        env="BULK_INGEST_MAX_UPLOAD_BYTES",
        flag="--max-upload-bytes",
    )
    no_spool: bool = _setting(
        "Keep nothing of jobs on this machine: each page of a result is then read from the org, from its start",
        False,
        env="BULK_INGEST_NO_SPOOL",
        flag="--no-spool",
    )
    no_kept_uploads: bool = _setting(
        "Keep no uploads on this machine: failed rows then go out again as Salesforce gives them back",
        False,
        env="BULK_INGEST_NO_KEPT_UPLOADS",
        flag="--no-kept-uploads",
    )
    spool_max_bytes: SpoolBytes = _setting(
        "Most bytes of results and uploads kept; those read longest ago go first",
        2_000_000_000,
        env="BULK_INGEST_SPOOL_MAX_BYTES",
        flag="--spool-max-bytes",
    )
    spool_days: SpoolDays = _setting(
        "Days for which a result or upload is kept that nobody reads",
        7,
        env="BULK_INGEST_SPOOL_DAYS",
        flag="--spool-days",
    )
    mcp_host: Name = _setting("Address of MCP", "127.0.0.1", env="BULK_INGEST_MCP_HOST", flag="--mcp-host")
    mcp_port: Port = _setting("Port of MCP, 0 for any", 9090, env="BULK_INGEST_MCP_PORT", flag="--mcp-port")
    rest_host: Name = _setting("Address of `/v1`", "127.0.0.1", env="BULK_INGEST_REST_HOST", flag="--rest-host")
    rest_port: Port = _setting("Port of `/v1`, 0 for any", 8080, env="BULK_INGEST_REST_PORT", flag="--rest-port")
    allow_unauthenticated: bool = _setting(
        "Serve on an address that other machines reach, without sign-in",
        False,
        env="BULK_INGEST_ALLOW_UNAUTHENTICATED",
        flag="--allow-unauthenticated",
    )
    allowed_host: Hosts = _setting(
        "Host header to accept beside this machine's", (), env="BULK_INGEST_ALLOWED_HOST", flag="--allowed-host"
    )
    allowed_origin: Origins = _setting(
        "Origin header to accept beside this machine's", (), env="BULK_INGEST_ALLOWED_ORIGIN", flag="--allowed-origin"
    )
    emulator: bool = _setting(
        "Use the embedded org; ignores every `SALESFORCE_*` value", False, flag="--emulator", file=False
    )
    data_dir: Path | None = _setting("Folder of the embedded org", flag="--data-dir", file=False)
    schema_file: Path | None = _setting(
        "YAML with objects, fields and rules of the embedded org's own", flag="--schema", file=False
    )

    @property
    def upstream_url(self) -> str | None:
        """Origin of the org, if one is named."""
        return self.instance or self.instance_url

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mcp_port == self.rest_port != 0 and self.mcp_host == self.rest_host:
            raise _complaint("MCP and REST can't share one port", "mcp_port", "rest_port")
        if self.emulator:
            return self
        for name in ("data_dir", "schema_file"):
            if getattr(self, name):
                raise _complaint("that is about the embedded org, so add --emulator", name)
        if self.instance and self.instance_url:
            raise _complaint("two names for the org, keep one", "instance", "instance_url")
        for name in RIVALS["org"]:
            if self.org and getattr(self, name):
                raise _complaint("keep either the CLI's login or a token with an instance, not both", "org", name)
        return self

    @model_validator(mode="after")
    def _closed_by_default(self) -> Self:
        for name in ("mcp_host", "rest_host"):
            if getattr(self, name) not in LOOPBACK_HOSTS and not (self.allow_unauthenticated and self.allowed_host):
                raise _complaint(
                    "other machines would reach this server without signing in; if that is meant, add "
                    "--allow-unauthenticated and --allowed-host NAME (and --allowed-origin for browsers)",
                    name,
                )
        return self


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """Merge the three sources; a flag beats the environment, the environment beats the file.

    Args:
        flags: by field name; None means not given.
        environ: the process's environment.
        file: `settings.toml`; it need not exist.

    Raises:
        BadSetting: something can't be used.
    """
    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    from_env = {name: environ[env] for name, env in env_names().items() if environ.get(env)}
    from_file = _read_file(file) if file is not None else {}
    if given.get("emulator"):
        from_env = {name: value for name, value in from_env.items() if not is_about_salesforce(name)}
        from_file = {name: value for name, value in from_file.items() if not is_about_salesforce(name)}
    beaten = {rival for name in from_env for rival in RIVALS.get(name, ())}
    from_file = {name: value for name, value in from_file.items() if name not in beaten}
    values = {**from_file, **from_env, **given}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        sources = {name: f"{name} in {file}" for name in from_file}
        sources |= {name: env for name, env in env_names().items() if name in from_env}
        raise BadSetting(_explain(error, sources | {name: _flag(name) for name in given})) from None


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """Where this program keeps what.

    Attributes:
        settings_file: `settings.toml`; desktop hosts pass no environment, so it is all that they have.
        state_dir: the record of uploads.
        spool_dir: results that were fetched.
        org_dir: the embedded org of `stdio`, from one start to the next.
        working_dir: where the program was started, if that is a place to keep files in.
    """

    settings_file: Path
    state_dir: Path
    spool_dir: Path
    org_dir: Path
    working_dir: Path | None = None


def default_local_paths() -> LocalPaths:
    """This user's folders on this platform."""
    return LocalPaths(
        settings_file=platformdirs.user_config_path(APP_NAME, appauthor=False) / SETTINGS_FILE,
        state_dir=platformdirs.user_state_path(APP_NAME, appauthor=False),
        spool_dir=platformdirs.user_cache_path(APP_NAME, appauthor=False) / SPOOL,
        org_dir=platformdirs.user_data_path(APP_NAME, appauthor=False) / "org",
        working_dir=working_dir(Path.cwd, Path.home()),
    )


def working_dir(current: Callable[[], Path], home: Path) -> Path | None:
    """The current folder, unless it is one that a desktop or a service happens to start programs in.

    Args:
        current: tells the folder; it raises OSError where that has been removed.
        home: of this user.
    """
    try:
        folder, home = current().resolve(), home.resolve()
    except OSError:
        return None
    homes = {*HOMES, *({home.parent} - {Path(home.anchor)})}
    is_home = folder == home or folder.parent in homes
    is_of_system = len(folder.parts) > 1 and folder.parts[1].lower() in SYSTEM_FOLDERS
    is_above_homes = folder == Path(folder.anchor) or folder in homes
    return None if is_home or is_above_homes or is_of_system else folder


def names_of(field: FieldInfo) -> tuple[str | None, str | None, bool]:
    """Environment variable, flag, and whether the file may hold it."""
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    env, flag = extra["env"], extra["flag"]
    return (env if isinstance(env, str) else None), (flag if isinstance(flag, str) else None), bool(extra["file"])


def is_about_salesforce(name: str) -> bool:
    """Whether the setting says which org to call, and so means nothing beside the embedded one."""
    env, _, _ = names_of(Settings.model_fields[name])
    return env is not None and env.startswith(EMULATOR_IGNORES)


def env_names() -> dict[str, str]:
    """The environment variables, by setting."""
    names = {name: names_of(field)[0] for name, field in Settings.model_fields.items()}
    return {name: env for name, env in names.items() if env is not None}


def _read_file(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as opened:
            values = tomllib.load(opened)
            mode = os.fstat(opened.fileno()).st_mode
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSetting(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadSetting(f"{file} is not TOML: it has to be saved as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        hint = '; texts stand in quotes, as in instance = "acme.my"' if "Invalid value" in str(error) else ""
        raise BadSetting(f"{file} is not TOML: {error}{hint}.") from None
    known = [name for name, field in Settings.model_fields.items() if names_of(field)[2]]
    for name in values:
        if name not in known:
            nearest = like(name, known)
            meant = f"did you mean {nearest!r}?" if nearest else "see the README's configuration table."
            raise BadSetting(f"{file}: {name!r} is not a setting; {meant}")
    if "access_token" in values and os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise BadSetting(f"{file} holds a token and others can read it: run `chmod 600 '{file}'`.")
    return values


def like(name: str, known: Iterable[str], near: float = NEAR) -> str | None:
    """The known name that an unknown one may be a misspelling of."""
    nearest = get_close_matches(name, list(known), n=1, cutoff=near)
    return nearest[0] if nearest else None


def _explain(error: ValidationError, sources: Mapping[str, str]) -> str:
    """The first complaint, in one line, without the value: it may be a secret in the wrong place."""
    first = error.errors(include_url=False, include_input=False)[0]
    names = [str(first["loc"][0])] if first["loc"] else first.get("ctx", {})["settings"]
    where = " and ".join(sources.get(name) or _flag(name) for name in names)
    return f"{where}: {PLAINER.get(first['type']) or first['msg'].removeprefix('Value error, ')}."


def _flag(name: str) -> str:
    return names_of(Settings.model_fields[name])[1] or name
