"""Requests that log in to an org, for tests."""

from collections.abc import Mapping
from typing import Any

import httpx2

from salesforce_emulator.config import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    USERNAME,
)
from tests.salesforce_emulator.caller import INGEST, Caller

TOKEN = "/services/oauth2/token"


USERINFO = "/services/oauth2/userinfo"


CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


CREDENTIALS = {"grant_type": "client_credentials", **CLIENT}


def anonymous(org: Caller) -> httpx2.Client:
    """Whoever logs in has no token yet."""
    return httpx2.Client(base_url=org.http.base_url)


def ask(org: Caller, form: Mapping[str, str], path: str = TOKEN, **more: Any) -> httpx2.Response:
    with anonymous(org) as http:
        return http.post(path, data=dict(form), **more)


def works(org: Caller, token: str) -> bool:
    answer = org.http.get(INGEST, headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    return answer.status_code == 200


def soap_login(username: str = USERNAME, password: str = PASSWORD) -> bytes:
    return (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
        f'<n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{username}</n1:username>'
        f"<n1:password>{password}</n1:password></n1:login></env:Body></env:Envelope>"
    ).encode()


def ask_soap(org: Caller, body: bytes, path: str = "/services/Soap/u/63.0") -> httpx2.Response:
    with anonymous(org) as http:
        return http.post(path, content=body, headers={"Content-Type": "text/xml", "SOAPAction": "login"})
