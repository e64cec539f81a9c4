"""Authorizations: what an app asks for, until it has a token."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from salesforce_emulator.storage.authorizations import Authorization, Authorizations
from salesforce_emulator.storage.database import Database
from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.clocks import Clock

ASKED = Authorization(client_id="app", redirect_uri="http://localhost:1/", scope="api", state="\xe9 &")


@own
def test_a_secret_is_good_for_its_step_alone_and_once(database: Database) -> None:
    authorizations = Authorizations(database, Clock())
    consent, code = authorizations.issue("consent", ASKED), authorizations.issue("code", ASKED)
    assert authorizations.take("code", consent) is None
    assert authorizations.find("consent", code) is None
    assert authorizations.find("consent", consent) == ASKED
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(partial(authorizations.take, "code"), [code] * 8))
    assert sorted(taken, key=lambda found: found is None) == [ASKED, *[None] * 7]


@own
def test_secrets_that_have_expired_go_with_the_next_one(database: Database) -> None:
    clock = Clock()
    authorizations = Authorizations(database, clock)
    first = authorizations.issue("code", ASKED)
    clock.forward(minutes=15)
    assert authorizations.take("code", first) is None
    authorizations.issue("code", ASKED)
    authorizations.issue("code", ASKED)
    with database.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM authorization").fetchone()[0] == 2


@doc("RFC 7636, Appendix B")
def test_the_verifier_of_a_challenge_is_the_one_in_the_standard() -> None:
    asked = Authorization(
        client_id="app",
        redirect_uri="http://localhost:1/",
        scope="api",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method="S256",
    )
    assert asked.is_proved_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert not asked.is_proved_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK")
