"""Logging in over SOAP."""

from xml.etree import ElementTree

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import PASSWORD
from tests.salesforce_emulator.api.logins import CREDENTIALS, ask, ask_soap, soap_login, works
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller


@doc("SOAP API guide, login()")
def test_name_and_password_open_a_session_over_soap(org: Caller) -> None:
    for path in ("/services/Soap/u/63.0", f"/services/Soap/u/63.0/{org.organization_id}"):
        answer = ask_soap(org, soap_login(password=PASSWORD + "SecurityToken"), path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml;charset=UTF-8")
        values = {
            element.tag.rpartition("}")[2]: element.text for element in ElementTree.fromstring(answer.text).iter()
        }
        assert values["sessionId"] and works(org, values["sessionId"])
        base = str(org.http.base_url).rstrip("/")
        assert values["serverUrl"] == f"{base}/services/Soap/u/63.0/{org.organization_id[:15]}"
        assert (values["userId"], values["organizationId"]) == ("005000000000001AAA", org.organization_id)


@seen("a wrong password, as simple-salesforce and jsforce pass it on")
@pytest.mark.parametrize(
    "body", [soap_login(password="nonsense"), soap_login(username="nobody@example.com")], ids=["password", "name"]
)
def test_a_wrong_password_over_soap_is_a_fault(org: Caller, body: bytes) -> None:
    answer = ask_soap(org, body)
    assert answer.status_code == 500
    assert answer.text == snapshot(
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username, password, security token; or user locked out.</faultstring><detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>Invalid username, password, security token; or user locked out.</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>'
    )


@seen("logout of jsforce, connection.ts")
@assumed("the text for a session that is none")
def test_a_session_can_be_ended_over_soap(org: Caller) -> None:
    token = ask(org, CREDENTIALS).json()["access_token"]
    body = f"<Envelope><Header><sessionId>{token}</sessionId></Header><Body><logout/></Body></Envelope>".encode()
    assert ask_soap(org, body).status_code == 200
    assert not works(org, token)
    again = ask_soap(org, body)
    assert (again.status_code, "<faultcode>sf:INVALID_SESSION_ID</faultcode>" in again.text) == (500, True)


@own
@pytest.mark.parametrize("body", [b"", b"nonsense", b"<query/>", b"<a>" * 1000], ids=["none", "text", "call", "open"])
def test_other_calls_over_soap_are_told_what_there_is(org: Caller, body: bytes) -> None:
    answer = ask_soap(org, body)
    assert (answer.status_code, "<faultcode>sf:INVALID_OPERATION</faultcode>" in answer.text) == (500, True)
