"""The login with an app's private key, at an embedded org."""

from datetime import UTC, datetime, timedelta

from inline_snapshot import snapshot

from salesforce_emulator.config import CLIENT_ID, USERNAME
from tests.support.logins import Place, certificate, key, other_key, pem

JWT = {"client_id": CLIENT_ID, "username": USERNAME}
ORGANIZATION = "00D000000000001"


async def test_a_user_logs_in_with_the_app_s_private_key(place: Place) -> None:
    key_file, certificate_file = place.write("key.pem", pem(key())), place.write("crt.pem", certificate(key()))
    assert (await place.organization_with(**JWT, jwt_key_file=key_file))[:3] == "00D"
    assert (await place.organization_with(**JWT, jwt_key_file=key_file, certificate_file=certificate_file))[:3] == "00D"


async def test_a_private_key_that_can_not_be_used_is_told_without_quoting_it(place: Place) -> None:
    told = [
        await place.refusal_with(**JWT, jwt_key_file=place.folder / "none.pem"),
        await place.refusal_with(**JWT, jwt_key_file=place.write("open.pem", pem(key()), 0o644)),
        await place.refusal_with(**JWT, jwt_key_file=place.write("locked.pem", pem(key(), b"secret"))),
        await place.refusal_with(**JWT, jwt_key_file=place.write("crt.pem", certificate(key()))),
        await place.refusal_with(**JWT, jwt_key_file=place.write("other.pem", pem(other_key()))),
    ]
    assert told == snapshot(
        [
            "DIR/none.pem can't be read (jwt_key_file): No such file or directory.",
            "DIR/open.pem holds the private key and others can read it: run `chmod 600 'DIR/open.pem'`.",
            "DIR/locked.pem is protected by a passphrase: write the key without one (`openssl rsa`).",
            "DIR/crt.pem is no private RSA key as PEM text: jwt_key_file (SALESFORCE_JWT_KEY_FILE) has to be that of the certificate which was uploaded to the app.",
            'URL refused the login (invalid_grant, "invalid assertion"). Check the settings of the app in Setup.',
        ]
    )


async def test_a_certificate_that_is_not_that_of_the_key_is_told_before_anything_is_sent(place: Place) -> None:
    key_file = place.write("key.pem", pem(key()))
    told = [
        await place.refusal_with(
            **JWT, jwt_key_file=key_file, certificate_file=place.write("crt.pem", certificate(other_key()))
        ),
        await place.refusal_with(**JWT, jwt_key_file=key_file, certificate_file=key_file),
    ]
    expired = place.write("old.pem", certificate(key(), days=-1))
    late = await place.refusal_with(**JWT, jwt_key_file=key_file, certificate_file=expired)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    assert late.replace(str(yesterday), "YESTERDAY") == snapshot(
        "DIR/old.pem has expired on YESTERDAY: make a new certificate, and upload it to the app."
    )
    assert told == snapshot(
        [
            "DIR/crt.pem is the certificate of another key than that of jwt_key_file.",
            "DIR/key.pem is no certificate as PEM text (certificate_file).",
        ]
    )
