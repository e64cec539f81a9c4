"""The SOAP calls login() and logout(), with which some clients open and end a session."""

import sqlite3
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors
from salesforce_emulator.api.endpoint import Resource, allow_anyone, org_of
from salesforce_emulator.api.grants import is_user
from salesforce_emulator.api.oauth import base_url
from salesforce_emulator.api.out_of_scope import ADD, LOAD_AND_FIND
from salesforce_emulator.api.request_body import MAX_FORM_BYTES, body_chunks
from salesforce_emulator.api.user import running_user
from salesforce_emulator.config import USER_ID

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:sf="urn:fault.{api}.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
APIS = {"u": "partner", "c": "enterprise"}  # the name of the API by the letter in the path
OTHER_CALLS = errors.not_in_this_org("SOAP calls other than login() and logout()", LOAD_AND_FIND)
OTHER_APIS = {"m": errors.not_in_this_org("the Metadata API", ADD), "T": errors.not_in_this_org("the Tooling API", ADD)}
"""What callers of the APIs are told that the org does not have, by the letter in the path."""


async def call(request: Request) -> Response:
    """Answer login() or logout(), and every other call with a fault."""
    values = _element_texts(b"".join([chunk async for chunk in body_chunks(request, MAX_FORM_BYTES)]))
    if "login" in values:
        return await _login(request, values)
    if "logout" in values:
        return await _logout(request, values)
    return _fault(request, "INVALID_OPERATION", OTHER_APIS.get(request.path_params["api"], OTHER_CALLS))


async def _logout(request: Request, values: dict[str, str]) -> Response:
    given, sessions = values.get("sessionId", ""), org_of(request).sessions
    if not sessions.published(given) and not await run_in_threadpool(sessions.end, given):
        return _fault(request, "INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader")  # assumed: text
    return _envelope(request, f'<logoutResponse xmlns="urn:{_api(request)}.soap.sforce.com"/>')


async def _login(request: Request, values: dict[str, str]) -> Response:
    """Return a new session id and the URL of the org (SOAP API guide, login())."""
    organization = org_of(request).organization
    user = await run_in_threadpool(running_user, org_of(request))
    if not await run_in_threadpool(is_user, org_of(request), values.get("username", ""), values.get("password", "")):
        text = "Invalid username, password, security token; or user locked out."  # seen
        return _fault(request, "INVALID_LOGIN", text)
    return _envelope(
        request,
        f'<loginResponse xmlns="urn:{_api(request)}.soap.sforce.com"><result>'
        f"<metadataServerUrl>{_url(request, 'm')}</metadataServerUrl>"
        f"<passwordExpired>false</passwordExpired><sandbox>{str(organization.is_sandbox).lower()}</sandbox>"
        f"<serverUrl>{_url(request, request.path_params['api'])}</serverUrl>"
        f"<sessionId>{await run_in_threadpool(org_of(request).sessions.issue)}</sessionId>"
        f"<userId>{USER_ID}</userId><userInfo>"
        f"<organizationId>{organization.id}</organizationId><organizationName>Embedded org</organizationName>"
        f"<sessionSecondsValid>{org_of(request).config.token_seconds}</sessionSecondsValid>"
        f"{_user_info(user)}</userInfo></result></loginResponse>",
    )


def _user_info(user: sqlite3.Row) -> str:
    info = {
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": USER_ID,
        "userLanguage": user["LanguageLocaleKey"],
        "userLocale": user["LocaleSidKey"],
        "userName": user["Username"],
        "userTimeZone": user["TimeZoneSidKey"],
        "userType": user["UserType"],
    }
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in info.items())


def _element_texts(body: bytes) -> dict[str, str]:
    """Return the text of every element by its name without namespace; an empty dict if the body is not XML."""
    try:
        elements = ElementTree.fromstring(body).iter()
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    return {element.tag.rpartition("}")[2]: element.text or "" for element in elements}


def _fault(request: Request, code: str, text: str) -> Response:
    body = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(text)}</faultstring>"
        f'<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(text)}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"
    )
    return _envelope(request, body, 500)


def _envelope(request: Request, body: str, status: int = 200) -> Response:
    return Response(ENVELOPE.format(api=_api(request), body=body), status, {"Content-Type": "text/xml;charset=UTF-8"})


def _api(request: Request) -> str:
    return APIS.get(request.path_params["api"], "partner")


def _url(request: Request, api: str) -> str:
    version = request.path_params["version"]
    return escape(f"{base_url(request)}/services/Soap/{api}/{version}/{org_of(request).organization.id[:15]}")


ROUTES = [
    Route("/services/Soap/{api}/{version}", Resource(check=allow_anyone, POST=call)),
    Route("/services/Soap/{api}/{version}/{org}", Resource(check=allow_anyone, POST=call)),
]
