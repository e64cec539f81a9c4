"""Requests that log in to an org, for tests."""

from collections.abc import Mapping
from typing import Any

import httpx2

from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.salesforce_emulator.caller import INGEST, Caller

TOKEN = "/services/oauth2/token"
USERINFO = "/services/oauth2/userinfo"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
CREDENTIALS = {"grant_type": "client_credentials", **CLIENT}


def anonymous(org: Caller) -> httpx2.Client:
    """A client without a token, as before a login."""
    return httpx2.Client(base_url=org.http.base_url)


def ask(org: Caller, form: Mapping[str, str], path: str = TOKEN, **more: Any) -> httpx2.Response:
    """The response to a form, by default on the token resource."""
    with anonymous(org) as http:
        return http.post(path, data=dict(form), **more)


def works(org: Caller, token: str) -> bool:
    """Whether the org accepts a request with this token."""
    status = org.http.get(INGEST, headers={"Authorization": f"Bearer {token}"}).status_code
    return {200: True, 401: False}[status]


def soap_login(username: str = USERNAME, password: str = PASSWORD) -> bytes:
    """The SOAP body of login()."""
    return (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
        f'<n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{username}</n1:username>'
        f"<n1:password>{password}</n1:password></n1:login></env:Body></env:Envelope>"
    ).encode()


def ask_soap(org: Caller, body: bytes, path: str = "/services/Soap/u/63.0") -> httpx2.Response:
    """The response to a SOAP body."""
    with anonymous(org) as http:
        return http.post(path, content=body, headers={"Content-Type": "text/xml", "SOAPAction": "login"})
