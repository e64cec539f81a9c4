"""The settings of the program: one frozen `Settings`, which declares the environment variable and flag of each setting.

`setting_types.py` says which values they take, and `settings_sources.py` reads the values; `cli/options.py` makes the
options of the commands from the flags declared here; the table in docs/configuration.md is this declaration.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from salesforce_bulk_ingest.operations.confirmation import DEFAULT_RULES, WithoutDialog
from salesforce_bulk_ingest.salesforce.instance_url import LOGIN_HOSTS
from salesforce_bulk_ingest.setting_types import (
    REDIRECT_URI,
    ApiVersion,
    AuditPlace,
    Bound,
    ConfirmKey,
    ConfirmRules,
    Connections,
    ConsumerKey,
    DeniedOperations,
    FieldPatterns,
    Folder,
    Folders,
    Hosts,
    LoginHost,
    Name,
    ObjectPatterns,
    Operations,
    OrganizationId,
    OrgName,
    Origin,
    Origins,
    Port,
    Program,
    PublicUrl,
    RedirectUri,
    Secret,
    SecretFile,
    SpoolDays,
    Token,
    TokenScope,
    TrustedUrl,
    UploadBytes,
    Username,
)

EMULATOR_IGNORES = "SALESFORCE_"
"""The prefix of the variables that say which org to call, and are ignored with the embedded org."""


@dataclass(frozen=True, slots=True)
class Env:
    """The environment variable of a setting.

    Attributes:
        name: the variable.
        in_file: whether the setting can also stand in `settings.toml`, under its own name.
    """

    name: str
    in_file: bool = True


@dataclass(frozen=True, slots=True)
class Flag:
    """The option of the command line that sets a setting.

    Attributes:
        name: the option as typed, such as `--mcp-port`.
        help: the text in `--help`; docs/configuration.md has a longer text, the description of the setting.
        metavar: the placeholder in `--help` in place of the value's type.
        path: the kind of a value that is a path; a folder need not exist. `~` at its begin is the home folder.
        off: the option that turns a switch off which is on by default; None for any other.
    """

    name: str
    help: str
    metavar: str | None = None
    path: Literal["folder", "existing file"] | None = None
    off: str | None = None


def _complaint(message: str, *settings: str) -> PydanticCustomError:
    """Return an error about several settings together; `settings_sources.py` adds the sources of their values."""
    return PydanticCustomError("setting", "{message}", {"message": message, "settings": settings})


class Settings(BaseModel):
    """The settings of one run. `repr` masks secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    org_name: Annotated[
        OrgName | None,
        Env("BULK_INGEST_ORG", in_file=False),
        Flag("--org", "The org in the table orgs.NAME of settings.toml.", metavar="NAME"),
    ] = Field(None, description="The org of the table `[orgs.NAME]`, in place of any that is named in another way")
    access_token: Annotated[Token | None, Env("SALESFORCE_AUTOMATION_API_KEY")] = Field(
        None, description="Bearer token for the org"
    )
    instance: Annotated[Origin | None, Env("SALESFORCE_INSTANCE")] = Field(
        None, description="My Domain name, such as `acme.my`"
    )
    instance_url: Annotated[Origin | None, Env("SALESFORCE_INSTANCE_URL")] = Field(
        None, description="Whole URL in place of the instance; http only for this machine"
    )
    org: Annotated[Name | None, Env("SALESFORCE_ORG")] = Field(
        None, description="Alias of a login of the official CLI, in place of a token"
    )
    cli: Annotated[Program, Env("SALESFORCE_CLI")] = Field(
        "sf", description="The official CLI's name on the PATH, or its full path"
    )
    client_id: Annotated[
        ConsumerKey | None,
        Env("SALESFORCE_CLIENT_ID"),
        Flag("--client-id", "Consumer key of the app to log in with.", metavar="KEY"),
    ] = Field(None, description="Consumer key of the app to log in with")
    client_secret: Annotated[Secret | None, Env("SALESFORCE_CLIENT_SECRET")] = Field(
        None, description="Consumer secret; alone with the key, the app logs in as the user that it runs as"
    )
    username: Annotated[Username | None, Env("SALESFORCE_USERNAME")] = Field(
        None, description="User to log in with `jwt_key_file`"
    )
    jwt_key_file: Annotated[SecretFile | None, Env("SALESFORCE_JWT_KEY_FILE")] = Field(
        None, description="Private key (PEM) that signs the login of `username`"
    )
    certificate_file: Annotated[SecretFile | None, Env("SALESFORCE_CERTIFICATE_FILE")] = Field(
        None, description="Certificate (PEM) that the app has, to check `jwt_key_file` with"
    )
    refresh_token: Annotated[Secret | None, Env("SALESFORCE_REFRESH_TOKEN")] = Field(
        None, description="Refresh token of the app for a user"
    )
    login_url: Annotated[
        LoginHost | None,
        Env("SALESFORCE_LOGIN_URL"),
        Flag("--login-url", "Login host: login, test or a My Domain (login).", metavar="HOST"),
    ] = Field(
        None, description="Login host: `login`, `test` or a My Domain; else the instance if one is named, or `login`"
    )
    redirect_uri: Annotated[
        RedirectUri,
        Env("SALESFORCE_REDIRECT_URI"),
        Flag("--redirect-uri", f"Callback URL of the app ({REDIRECT_URI}).", metavar="URL"),
    ] = Field(REDIRECT_URI, description="Callback URL of the app, for the command `login`")
    expect_org: Annotated[OrganizationId | None, Env("SALESFORCE_EXPECT_ORG")] = Field(
        None,
        description="Id of the only organization that is called, such as `00D000000000001EAA`: every other is refused",
    )
    api_version: Annotated[ApiVersion, Env("SALESFORCE_API_VERSION")] = Field(
        "63.0", description="API version of upstream calls"
    )
    read_only: Annotated[
        bool,
        Env("BULK_INGEST_READ_ONLY"),
        Flag("--read-only", "Offer the five reading tools only; /v1 refuses changes."),
    ] = Field(False, description="Offer reading only")
    allow_operation: Annotated[
        Operations,
        Env("BULK_INGEST_ALLOW_OPERATION"),
        Flag("--allow-operation", "Allow delete or hardDelete; repeatable.", metavar="OPERATION"),
    ] = Field((), description="Allow `delete` or `hardDelete` jobs")
    deny_operations: Annotated[
        DeniedOperations,
        Env("BULK_INGEST_DENY_OPERATION"),
        Flag("--deny-operation", "Refuse this operation; repeatable.", metavar="OPERATION"),
    ] = Field((), description="Operation whose jobs are refused, also where it is allowed, such as `insert`")
    allow_objects: Annotated[
        ObjectPatterns,
        Env("BULK_INGEST_ALLOW_OBJECT"),
        Flag("--allow-object", "Object that jobs may be of, such as '*__c'; repeatable.", metavar="NAME"),
    ] = Field((), description="Object that jobs may be of, such as `Account` or `*__c`; without any, all are")
    deny_objects: Annotated[
        ObjectPatterns,
        Env("BULK_INGEST_DENY_OBJECT"),
        Flag("--deny-object", "Object that no job may be of; repeatable.", metavar="NAME"),
    ] = Field((), description="Object that no job may be of, also where it is allowed")
    deny_fields: Annotated[
        FieldPatterns,
        Env("BULK_INGEST_DENY_FIELD"),
        Flag("--deny-field", "Field that no row may write, such as OwnerId; repeatable.", metavar="NAME"),
    ] = Field((), description="Field that no row may write, such as `OwnerId` or `Account.OwnerId`")
    max_job_rows: Annotated[
        Bound,
        Env("BULK_INGEST_MAX_JOB_ROWS"),
        Flag("--max-job-rows", "Most rows of one job (0: any number).", metavar="NUMBER"),
    ] = Field(0, description="Most rows of one job, through the tools and `/v1`; 0 for any number")
    max_job_bytes: Annotated[
        Bound,
        Env("BULK_INGEST_MAX_JOB_BYTES"),
        Flag("--max-job-bytes", "Most bytes of one job's rows (0: any number).", metavar="NUMBER"),
    ] = Field(
        0, description="Most bytes of one job's rows, decompressed, through the tools and `/v1`; 0 for any number"
    )
    allow_preflight_off: Annotated[
        bool,
        Env("BULK_INGEST_ALLOW_PREFLIGHT_OFF"),
        Flag("--allow-preflight-off", "Let callers of the tools send rows unchecked."),
    ] = Field(False, description='Let callers of the tools send rows unchecked, with `preflight: "off"`')
    only_recipes: Annotated[
        bool,
        Env("BULK_INGEST_ONLY_RECIPES"),
        Flag("--only-recipes", "Load rows by recipes alone."),
    ] = Field(False, description="Load rows by `recipes` alone: a caller chooses one and a file; `/v1` fills no job")
    allow_undo: Annotated[
        bool,
        Env("BULK_INGEST_ALLOW_UNDO"),
        Flag("--allow-undo", "Let what jobs of this server created be deleted (the default).", off="--no-allow-undo"),
    ] = Field(
        True,
        description="Let a caller delete what jobs of this server created, and nothing else, where `delete` is not allowed; "
        "a person confirms each close. `--no-allow-undo` refuses it",
    )
    hide_fields: Annotated[
        FieldPatterns,
        Env("BULK_INGEST_HIDE_FIELD"),
        Flag("--hide-field", "Field whose cells no answer shows, such as '*SSN*'; repeatable.", metavar="NAME"),
    ] = Field(
        (),
        description=(
            "Field whose cells no answer shows, such as `SSN__c`, `*Email*` or `Contact.*Email*`; files of this machine and "
            "`/v1` have them"
        ),
    )
    confirm: Annotated[
        ConfirmRules,
        Env("BULK_INGEST_CONFIRM"),
        Flag("--confirm", "Closes to be confirmed, such as delete; repeatable.", metavar="RULE"),
    ] = Field(
        DEFAULT_RULES,
        description=(
            "Closes that a person has to confirm: an operation, or as `production update > 1000`; `none` for none. With the "
            "embedded org none, unless it is set"
        ),
    )
    confirm_without_dialog: Annotated[
        WithoutDialog,
        Env("BULK_INGEST_CONFIRM_WITHOUT_DIALOG"),
        Flag(
            "--confirm-without-dialog",
            "What confirms a close where the client shows no dialog: sentence (the default), operator or refuse.",
            metavar="WAY",
        ),
    ] = Field(
        "sentence",
        description=(
            "What confirms a close where the client shows no dialog: `sentence` (the caller repeats it), `operator` (the "
            "command `approve`), `refuse`"
        ),
    )
    confirm_key: Annotated[ConfirmKey | None, Env("BULK_INGEST_CONFIRM_KEY")] = Field(
        None,
        description="Key of the codes in sentences, for servers that shall take each other's; else one of this machine",
    )
    audit: Annotated[
        AuditPlace | None,
        Env("BULK_INGEST_AUDIT"),
        Flag("--audit", "File of the audit log, or stderr.", metavar="FILE"),
    ] = Field(None, description="File of the audit log, or `stderr`; else `audit.jsonl` in the state folder")
    upload_roots: Annotated[
        Folders,
        Env("BULK_INGEST_UPLOAD_ROOT"),
        Flag("--upload-root", "Folder whose files may be uploaded; repeatable.", metavar="DIR"),
    ] = Field(
        (),
        description=(
            "Folder to upload files from; else the working one, unless it is or holds a home, or is the system's, or others "
            "are served"
        ),
    )
    save_roots: Annotated[
        Folders,
        Env("BULK_INGEST_SAVE_ROOT"),
        Flag("--save-root", "Folder in which callers may save rows of results; repeatable.", metavar="DIR"),
    ] = Field(
        (),
        description="Folder in which callers may save rows of results as new files (`saveAs`); without one, none are saved",
    )
    recipes: Annotated[
        Folder | None,
        Env("BULK_INGEST_RECIPES"),
        Flag("--recipes", "Folder of recipes: reviewed loads.", metavar="DIR"),
    ] = Field(None, description="Folder of [recipes](recipes.md), the loads that people have reviewed")
    max_upload_bytes: Annotated[
        UploadBytes,
        Env("BULK_INGEST_MAX_UPLOAD_BYTES"),
        Flag("--max-upload-bytes", "Most bytes of one upload through the tools (100,000,000).", metavar="NUMBER"),
    ] = Field(
        100_000_000,
        description="Most bytes of one upload through the tools, not through `/v1`; more goes in parts, a job for each",
    )
    compare_rows: Annotated[
        Bound,
        Env("BULK_INGEST_COMPARE_ROWS"),
        Flag("--compare-rows", "Most rows whose records are looked at (10,000); 0 for none.", metavar="NUMBER"),
    ] = Field(
        10_000,
        description="Most rows whose records are looked at: of more, a dry run and the bounds of a recipe see an even "
        "sample, and `match` and `changedOnly` refuse them; `0` for none",
    )
    undo_rows: Annotated[
        Bound,
        Env("BULK_INGEST_UNDO_ROWS"),
        Flag("--undo-rows", "Most rows of a job that can be undone (10,000); 0 for none.", metavar="NUMBER"),
    ] = Field(
        10_000,
        description="Most rows of an update, upsert or delete whose records are read before its close, so that it can be "
        "undone; `0` for none",
    )
    no_spool: Annotated[
        bool, Env("BULK_INGEST_NO_SPOOL"), Flag("--no-spool", "Keep nothing of jobs on this machine.")
    ] = Field(
        False,
        description="Keep nothing of jobs on this machine: each page of a result is then read from the org, from its start",
    )
    no_kept_uploads: Annotated[
        bool, Env("BULK_INGEST_NO_KEPT_UPLOADS"), Flag("--no-kept-uploads", "Keep no uploads on this machine.")
    ] = Field(
        False,
        description="Keep no uploads on this machine: failed rows then go out again as Salesforce gives them back",
    )
    spool_max_bytes: Annotated[
        Bound,
        Env("BULK_INGEST_SPOOL_MAX_BYTES"),
        Flag("--spool-max-bytes", "Most bytes of results and uploads kept (2,000,000,000).", metavar="NUMBER"),
    ] = Field(
        2_000_000_000,
        description="Most bytes of results and uploads kept, and of one result; those read longest ago go first",
    )
    spool_days: Annotated[
        SpoolDays,
        Env("BULK_INGEST_SPOOL_DAYS"),
        Flag("--spool-days", "Days for which a result or upload is kept that nobody reads (7).", metavar="NUMBER"),
    ] = Field(7, description="Days for which a result or upload is kept that nobody reads")
    mcp_host: Annotated[
        Name, Env("BULK_INGEST_MCP_HOST"), Flag("--mcp-host", "Address of MCP (127.0.0.1).", metavar="ADDRESS")
    ] = Field("127.0.0.1", description="Address of MCP")
    mcp_port: Annotated[
        Port,
        Env("BULK_INGEST_MCP_PORT"),
        Flag("--mcp-port", "Port of MCP (9090); 0 for any free one.", metavar="NUMBER"),
    ] = Field(9090, description="Port of MCP, 0 for any")
    rest_host: Annotated[
        Name, Env("BULK_INGEST_REST_HOST"), Flag("--rest-host", "Address of /v1 (127.0.0.1).", metavar="ADDRESS")
    ] = Field("127.0.0.1", description="Address of `/v1`")
    rest_port: Annotated[
        Port,
        Env("BULK_INGEST_REST_PORT"),
        Flag("--rest-port", "Port of /v1 (8080); 0 for any free one.", metavar="NUMBER"),
    ] = Field(8080, description="Port of `/v1`, 0 for any")
    token_file: Annotated[
        SecretFile | None,
        Env("BULK_INGEST_TOKEN_FILE"),
        Flag("--token-file", "File of the named tokens.", metavar="FILE"),
    ] = Field(None, description="File of the named tokens, else `callers.json` beside `settings.toml`")
    oauth_issuer: Annotated[
        TrustedUrl | None,
        Env("BULK_INGEST_OAUTH_ISSUER"),
        Flag("--oauth-issuer", "Issuer of the access tokens of callers.", metavar="URL"),
    ] = Field(None, description="Issuer of the access tokens of callers, spelled as it spells itself")
    public_url: Annotated[
        PublicUrl | None,
        Env("BULK_INGEST_PUBLIC_URL"),
        Flag("--public-url", "URL of this server in access tokens.", metavar="URL"),
    ] = Field(None, description="URL of this server without a path: the audience of access tokens, for both ports")
    oauth_jwks_url: Annotated[TrustedUrl | None, Env("BULK_INGEST_OAUTH_JWKS_URL")] = Field(
        None, description="URL of the issuer's keys, else the one that its metadata name"
    )
    read_scope: Annotated[TokenScope, Env("BULK_INGEST_READ_SCOPE")] = Field(
        "bulk:read", description="Scope of access tokens that may read"
    )
    write_scope: Annotated[TokenScope, Env("BULK_INGEST_WRITE_SCOPE")] = Field(
        "bulk:write", description="Scope of access tokens that may read and write"
    )
    max_connections: Annotated[
        Connections,
        Env("BULK_INGEST_MAX_CONNECTIONS"),
        Flag("--max-connections", "Most connections of a port at once (512).", metavar="NUMBER"),
    ] = Field(512, description="Most connections of a port at once; others get a 503")
    allow_unauthenticated: Annotated[
        bool,
        Env("BULK_INGEST_ALLOW_UNAUTHENTICATED"),
        Flag("--allow-unauthenticated", "Serve other machines too, although nobody shows a token."),
    ] = Field(False, description="Serve without named tokens and OAuth on an address that other machines reach")
    allowed_host: Annotated[
        Hosts,
        Env("BULK_INGEST_ALLOWED_HOST"),
        Flag("--allowed-host", "Name under which other machines call; repeatable.", metavar="HOST"),
    ] = Field((), description="Host header to accept beside this machine's")
    allowed_origin: Annotated[
        Origins,
        Env("BULK_INGEST_ALLOWED_ORIGIN"),
        Flag("--allowed-origin", "Origin of pages that may call; repeatable.", metavar="ORIGIN"),
    ] = Field((), description="Origin header to accept beside this machine's")
    emulator: Annotated[bool, Flag("--emulator", "Use the embedded org; ignores every SALESFORCE_* value.")] = Field(
        False, description="Use the embedded org; ignores every `SALESFORCE_*` value"
    )
    data_dir: Annotated[
        Path | None, Flag("--data-dir", "Folder of the embedded org.", metavar="DIR", path="folder")
    ] = Field(None, description="Folder of the embedded org")
    schema_file: Annotated[
        Path | None,
        Flag("--schema", "YAML with objects, fields and rules of your own.", metavar="FILE", path="existing file"),
    ] = Field(None, description="YAML with objects, fields and rules of the embedded org's own")
    emulator_port: Annotated[
        Port, Flag("--emulator-port", "Port of the embedded org; 0 for any free one.", metavar="NUMBER")
    ] = Field(0, description="Port of the embedded org and its window, 0 for any")
    verbose: Annotated[bool, Flag("--verbose", "Log each request, without what is in it.")] = Field(
        False,
        description="Log each request on stderr: method, path, status and time, without queries, headers and bodies",
    )

    @property
    def upstream_url(self) -> str | None:
        """The origin of the org, or None if no instance is named."""
        return self.instance or self.instance_url

    @property
    def ways_to_log_in(self) -> tuple[str, ...]:
        """The names of the settings that each choose a way to log in; more than one is refused."""
        ways = ("access_token", "org", "jwt_key_file", "refresh_token", "client_secret")
        return tuple(
            name for name in ways if getattr(self, name) and not (name == "client_secret" and self.refresh_token)
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mcp_port == self.rest_port != 0 and self.mcp_host == self.rest_host:
            raise _complaint("MCP and REST can't share one port", "mcp_port", "rest_port")
        self._check_callers()
        if self.only_recipes and not self.recipes:
            raise _complaint(
                f"recipes ({ENV_NAMES['recipes']}) belongs to it, and is missing: no row could be loaded",
                "only_recipes",
            )
        if self.emulator:
            if self.org_name:
                raise _complaint(
                    "the embedded org is none of the orgs in settings.toml, keep one", "emulator", "org_name"
                )
            return self
        for name in ("data_dir", "schema_file", "emulator_port"):
            if getattr(self, name):
                raise _complaint("that is about the embedded org, so add --emulator", name)
        if self.instance and self.instance_url:
            raise _complaint("two names for the org, keep one", "instance", "instance_url")
        for name in ("access_token", "instance", "instance_url"):
            if self.org and getattr(self, name):
                raise _complaint("keep either the CLI's login or a token with an instance, not both", "org", name)
        self._check_login()
        return self

    def _check_login(self) -> None:
        """Raise a complaint about two ways to log in, or about one that lacks something."""
        ways = self.ways_to_log_in
        if len(ways) > 1:
            raise _complaint("two ways to log in, keep one", *ways[:2])
        for name, companions in _COMPANIONS.items():
            for companion in companions:
                if getattr(self, name) and not getattr(self, companion):
                    raise _complaint(f"{companion} ({ENV_NAMES[companion]}) belongs to it, and is missing", name)
        if "client_secret" in ways and (self.login_url or self.upstream_url) in (None, *LOGIN_HOSTS.values()):
            raise _complaint(
                f"an app logs in at the My Domain alone: name it as instance ({ENV_NAMES['instance']}), such as acme.my",
                *(("login_url",) if self.login_url else ("client_secret",)),
            )

    def _check_callers(self) -> None:
        """Raise a complaint about settings for the access tokens of callers that don't belong together."""
        if self.oauth_issuer and not self.public_url:
            raise _complaint(
                f"public_url ({ENV_NAMES['public_url']}) belongs to it, and is missing: tokens have to be for this server",
                "oauth_issuer",
            )
        if self.oauth_jwks_url and not self.oauth_issuer:
            raise _complaint(
                f"oauth_issuer ({ENV_NAMES['oauth_issuer']}) belongs to it, and is missing", "oauth_jwks_url"
            )
        if self.read_scope == self.write_scope:
            raise _complaint("reading and writing need two scopes", "read_scope", "write_scope")


ENV_NAMES = {
    name: marker.name
    for name, field in Settings.model_fields.items()
    for marker in field.metadata
    if isinstance(marker, Env)
}
"""The environment variables by setting. The settings of the embedded org have flags only."""

FILE_NAMES = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if any(isinstance(marker, Env) and marker.in_file for marker in field.metadata)
)
"""The settings that can stand in `settings.toml`."""

SECRETS = frozenset(name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation))
"""The settings that are secrets: a file with one has to be private."""

_COMPANIONS = {
    "jwt_key_file": ("client_id", "username"),
    "certificate_file": ("jwt_key_file",),
    "refresh_token": ("client_id",),
    "client_secret": ("client_id",),
}
"""For each setting of a login: the settings without which it says nothing. A user name alone is no mistake, since other
tools read SALESFORCE_USERNAME, too."""

FLAGS = {
    name: marker
    for name, field in Settings.model_fields.items()
    for marker in field.metadata
    if isinstance(marker, Flag)
}
"""The flags by setting."""


def is_about_salesforce(name: str) -> bool:
    """Return whether a setting says which org to call, and so is ignored with the embedded org."""
    return name == "org_name" or ENV_NAMES.get(name, "").startswith(EMULATOR_IGNORES)


POLICY_SETTINGS = (
    "read_only",
    "allow_operation",
    "deny_operations",
    "allow_objects",
    "deny_objects",
    "deny_fields",
    "max_job_rows",
    "max_job_bytes",
    "allow_preflight_off",
    "only_recipes",
    "allow_undo",
)
"""The settings of the policy, in the order in which `--help` shows them."""

ORG_SETTINGS = (
    frozenset(name for name in FILE_NAMES if is_about_salesforce(name))
    | frozenset(POLICY_SETTINGS)
    | {"hide_fields", "confirm", "confirm_without_dialog", "compare_rows", "undo_rows"}
)
"""The settings that can stand in the table of an org: which org it is, how to log in, and what may be done there.

Nobody wants the same policy for production and for a sandbox. What concerns this machine, such as ports, folders and the
cache, is the same for all orgs."""
