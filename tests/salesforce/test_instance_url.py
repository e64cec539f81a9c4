"""What may be the URL of an org."""

import pytest

from salesforce_bulk_ingest.salesforce.instance_url import ONE_NAME, instance_url, login_url, trusted_instance_url


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("acme.my", "https://acme.my.salesforce.com"),
        ("ACME.my", "https://acme.my.salesforce.com"),
        (" acme.my\n", "https://acme.my.salesforce.com"),
        ("acme--uat.sandbox.my", "https://acme--uat.sandbox.my.salesforce.com"),
        ("acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("na139", "https://na139.salesforce.com"),
        ("CS42", "https://cs42.salesforce.com"),
        ("usa77", "https://usa77.salesforce.com"),
        ("eu5.salesforce.com", "https://eu5.salesforce.com"),
        ("usa2s.sfdc-abc1", "https://usa2s.sfdc-abc1.salesforce.com"),
        ("acme--uat.my", "https://acme--uat.my.salesforce.com"),
        ("acme--uat.cs42.my", "https://acme--uat.cs42.my.salesforce.com"),
        ("acme.my.salesforce.mil", "https://acme.my.salesforce.mil"),
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://Acme.My.Salesforce.com:443", "https://acme.my.salesforce.com:443"),
        ("https://proxy.example:8443", "https://proxy.example:8443"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://localhost:8081/", "http://localhost:8081"),
        ("http://[::1]:8081", "http://[::1]:8081"),
    ],
)
def test_an_instance_is_a_name_or_an_origin(given: str, origin: str) -> None:
    assert instance_url(given) == origin
    assert instance_url(origin) == origin


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "acme my", "acme.my/services", "localhost", "evil.com#.my", "../x", "a@b",
        "http://acme.my.salesforce.com", "http://127.0.0.1.evil.com", "http://localhost@evil.com", "ftp://acme.my",
        "//acme.my.salesforce.com", "https://", "https:///path", "https://user@acme.my.salesforce.com",
        "https://:secret@acme.my.salesforce.com", "https://acme.my.salesforce.com/services/data",
        "https://acme.my.salesforce.com?x=1", "https://acme.my.salesforce.com#x", "https://acme.my.salesforce.com:port",
        "https://acme.my.salesforce.com:99999", "https://[::1", "https://[nonsense]", "https://ac me.my",
        "https://evil.com\\.salesforce.com", "https://acme.lightning.force.com",
        "https://acme.my.site.com", "https://acme.my.salesforce-setup.com", "https://acme--c.visualforce.com",
    ],
)  # fmt: skip
def test_what_is_no_origin_of_an_api_is_refused_without_quoting_it(given: str) -> None:
    with pytest.raises(ValueError) as raised:
        instance_url(given)
    assert "expected" in str(raised.value)
    assert len(given) < 10 or given not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("acme", "acme.my"),
        ("Acme", "acme.my"),
        ("acme1", "acme1.my"),
        ("acme--uat", "acme--uat.sandbox.my"),
        ("acme--uat.sandbox", "acme--uat.sandbox.my"),
        ("acme-dev-ed.develop", "acme-dev-ed.develop.my"),
        ("orgfarm-3a1b2c4d5e-dev-ed.develop", "orgfarm-3a1b2c4d5e-dev-ed.develop.my"),
        ("acme.salesforce.com", "acme.my"),
        ("https://acme.salesforce.com", "acme.my"),
        ("acme.my.salesforce.com/", "acme.my"),
        ("acme--uat.my.salesforce.com/", "acme--uat.my"),
        ("http://acme.my.salesforce.com", "acme.my"),
        ("https://acme.my.salesforce.com/lightning/page/home", "acme.my"),
        ("acme.lightning.force.com", "acme.my"),
        ("https://acme.lightning.force.com/lightning/setup/SetupOneHome/home?x=1", "acme.my"),
        ("acme--uat.sandbox.lightning.force.com", "acme--uat.sandbox.my"),
        ("acme--uat.lightning.force.com", "acme--uat.sandbox.my"),
        ("https://acme-dev-ed.develop.lightning.force.com/x", "acme-dev-ed.develop.my"),
        ("https://acme.my.site.com", "acme.my"),
        ("https://acme--uat.sandbox.my.site.com/s", "acme--uat.sandbox.my"),
        ("https://acme.my.salesforce-setup.com", "acme.my"),
        ("https://acme--c.visualforce.com", "acme.my"),
        ("https://acme--uat--c.sandbox.vf.force.com/apex/Page", "acme--uat.sandbox.my"),
        ("localhost:8081", "http://localhost:8081"),
    ],
)
def test_what_is_nearly_an_instance_is_told_what_to_write(given: str, meant: str) -> None:
    with pytest.raises(ValueError) as raised:
        instance_url(given)
    message, _, proposed = str(raised.value).partition("; did you mean ")
    assert message.startswith("expected ") or " shows pages and has no API: expected " in message
    assert proposed == f"{meant!r}?"
    instance_url(meant)


@pytest.mark.parametrize("given", ["login", "Test", "login.salesforce.com", "https://test.salesforce.com/"])
def test_a_login_host_is_no_instance(given: str) -> None:
    with pytest.raises(ValueError) as raised:
        instance_url(given)
    host = given.removeprefix("https://").rstrip("/")
    assert str(raised.value) == (
        f"'{host}' is a login host and no org: expected a My Domain name such as acme.my; login_url names the login host"
    )
    assert login_url(given) == f"https://{'test' if 'est' in given else 'login'}.salesforce.com"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nope", "expected ONE_NAME, not 'nope'; did you mean 'nope.my'?"),
        ("acme.my.saleforce.com", "expected ONE_NAME, not 'acme.my.saleforce.com'"),
        ("https://acme.salesforce.com", "expected ONE_NAME, not 'acme.salesforce.com'; did you mean 'acme.my'?"),
        (
            "acme.lightning.force.com",
            "'acme.lightning.force.com' shows pages and has no API: expected a My Domain name such as acme.my; did you "
            "mean 'acme.my'?",
        ),
        ("a8Gk3jLmQz0PbXw5TnRv7Ys2", "expected ONE_NAME"),
        (
            "https://x.a8Gk3jLmQz0PbXw5TnRv7Ys2.force.com",
            "that host shows pages and has no API: expected a My Domain name such as acme.my; did you mean 'x.my'?",
        ),
    ],
)
def test_a_wrong_host_is_shown_where_it_can_be_no_secret(given: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        login_url(given)
    assert str(raised.value).replace(ONE_NAME, "expected ONE_NAME") == message


@pytest.mark.parametrize(
    "given",
    [
        "00D000000000001!SECRET.TOKEN",
        "a8Gk3jLmQz0PbXw5TnRv7Ys2",
        "f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c5",
        "s3cr3t-AbC9dEf8GhI7jKl6MnO5pQr4",
        "s3cr3t-abc9def8ghi7jkl6mno5pqr4",
        "af2504e0-4f89-41d3-9a0c-0305e82c3301",
        "acme-af2504e0-4f89-41d3-9a0c.my.salesforce.com/",
        "https://acme.s3cr3t-AbC9dEf8GhI7jKl6.my.salesforce.com/x",
        "https://user:secret@acme.my.salesforce.com",
        "https://x/00D000000000001!SECRET",
        "secret.of.somebody",
        "www.salesforce.com",
    ],
)
def test_what_may_be_a_secret_or_anything_is_not_shown(given: str) -> None:
    with pytest.raises(ValueError) as raised:
        instance_url(given)
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    "given",
    ["s3cr3t-AbC9dEf8GhI7jKl6MnO5pQr4", "s3cr3t-abc9def8ghi7jkl6mno5pqr4", "af2504e0-4f89-41d3-9a0c-0305e82c3301"],
)
def test_a_secret_in_parts_with_hyphens_between_is_not_shown(given: str) -> None:
    for host in (given, f"{given}.salesforce.com", f"https://acme.{given}.my.site.com"):
        with pytest.raises(ValueError) as raised:
            instance_url(host)
        assert given.lower() not in str(raised.value).lower()


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("login", "https://login.salesforce.com"),
        (" Test\n", "https://test.salesforce.com"),
        ("acme.my", "https://acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com/", "https://acme--uat.sandbox.my.salesforce.com"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
    ],
)
def test_a_login_host_is_one_of_two_names_or_an_origin(given: str, origin: str) -> None:
    assert login_url(given) == origin


@pytest.mark.parametrize(
    "answered",
    [
        "https://acme.my.salesforce.com",
        "https://acme--uat.sandbox.my.salesforce.com",
        "https://acme--uat.cs42.my.salesforce.com",
        "https://acme-dev-ed.develop.my.salesforce.com",
        "https://na139.salesforce.com",
        "https://usa77.salesforce.com",
        "https://abc1s.sfdc-xyz1.salesforce.com",
        "https://ACME.my.salesforce.com/",
    ],
)
def test_a_login_may_answer_each_host_of_the_api(answered: str) -> None:
    assert trusted_instance_url(answered, []) == answered.lower().rstrip("/")


def test_a_login_may_answer_the_host_that_the_settings_name() -> None:
    assert trusted_instance_url("http://127.0.0.1:8081", ["http://127.0.0.1:8081"]) == "http://127.0.0.1:8081"
    with pytest.raises(ValueError):
        trusted_instance_url("http://127.0.0.1:8082", ["http://127.0.0.1:8081"])
