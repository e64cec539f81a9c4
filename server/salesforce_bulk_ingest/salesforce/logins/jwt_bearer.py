"""The login with the private key of an app (OAuth 2.0 JWT bearer flow)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from salesforce_bulk_ingest.base.loopback import is_loopback
from salesforce_bulk_ingest.base.private_files import is_private
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.instance_url import LOGIN_HOSTS
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.org import SANDBOX, org_at

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 180
"""How long an assertion is valid: 3 minutes are accepted (seen in simple-salesforce), 5 are the most by some sources."""


@dataclass(frozen=True, slots=True)
class JwtBearerLogin:
    """The login of a user who is pre-authorized for an app, by an assertion that the app's key signs.

    The key is read at each login, so that a new one works without a restart (Salesforce Help, OAuth 2.0 JWT Bearer Flow).

    Attributes:
        endpoint: the token resource of `login`, `test` or a My Domain.
        client_id: the consumer key.
        username: the name of the user.
        key_file: the file of the private key, as PEM.
        certificate_file: the file of the certificate that the app has, as PEM; None leaves unchecked whether the key is its.
        now: returns the time in seconds since 1970.
    """

    endpoint: TokenEndpoint
    client_id: str
    username: str
    key_file: Path
    certificate_file: Path | None
    now: Callable[[], float]

    async def log_in(self) -> Credentials:
        """Return a new access token; see `Login`."""
        assertion = await run_in_thread(self._assertion)
        return (await self.endpoint.request({"grant_type": GRANT, "assertion": assertion})).credentials

    def _assertion(self) -> str:
        key = checked_key(self.key_file, self.certificate_file, self.now())
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": audience_of(self.endpoint.login_url),
            "exp": int(self.now()) + ASSERTION_SECONDS,
        }
        return jwt.encode(claims, key, algorithm="RS256")


def checked_key(key_file: Path, certificate_file: Path | None, now_seconds: float) -> RSAPrivateKey:
    """Return the private key of an app.

    Args:
        key_file: the file of the key, as PEM.
        certificate_file: the file of the certificate that the app has, as PEM; None leaves unchecked whether the key is its.
        now_seconds: the time in seconds since 1970.

    Raises:
        NoCredentials: key or certificate can't be used, or do not belong together.
    """
    key = _private_key(key_file)
    if certificate_file is not None:
        _check_certificate(certificate_file, key, datetime.fromtimestamp(now_seconds, UTC))
    return key


def audience_of(login_url: str) -> str:
    """Return the audience of an assertion: the login host of production or of sandboxes; an org on this machine itself."""
    if is_loopback(login_url):
        return login_url
    return LOGIN_HOSTS["test" if org_at(login_url, embedded=False).kind == SANDBOX else "login"]


def _private_key(file: Path) -> RSAPrivateKey:
    """Return the key in a file.

    Raises:
        NoCredentials: the file can't be read, is open to others, or has no such key; nothing of it is quoted.
    """
    pem = _read(file, "jwt_key_file")
    if not is_private(file.stat().st_mode):
        raise NoCredentials(f"{file} holds the private key and others can read it: run `chmod 600 '{file}'`.")
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise NoCredentials(
            f"{file} is protected by a passphrase: write the key without one (`openssl rsa`)."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise NoCredentials(
            f"{file} is no private RSA key as PEM text: jwt_key_file (SALESFORCE_JWT_KEY_FILE) has to be that of the "
            "certificate which was uploaded to the app."
        )
    return key


def _check_certificate(file: Path, key: RSAPrivateKey, now: datetime) -> None:
    """Raise NoCredentials where a certificate is not that of the key, or has expired: Salesforce says less about it."""
    try:
        certificate = load_pem_x509_certificate(_read(file, "certificate_file"))
    except ValueError:
        raise NoCredentials(f"{file} is no certificate as PEM text (certificate_file).") from None
    if certificate.public_key() != key.public_key():
        raise NoCredentials(f"{file} is the certificate of another key than that of jwt_key_file.")
    if now > certificate.not_valid_after_utc:
        raise NoCredentials(
            f"{file} has expired on {certificate.not_valid_after_utc:%Y-%m-%d}: make a new certificate, and upload it to "
            "the app."
        )


def _read(file: Path, setting: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NoCredentials(f"{file} can't be read ({setting}): {error.strerror}.") from None
