"""The pages of the web server flow, on which the user logs in and allows an app to act for them (Salesforce Help).

An app sends the browser to the authorization endpoint, which shows the login page. The consent page follows, and then the
browser is sent to the callback URL of the app, with an authorization code or an error. The org keeps no session of the
browser: it asks for the password each time. What can't be told to a callback URL of the app is told on a page.
"""

from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from salesforce_emulator import config
from salesforce_emulator.api.endpoint import Resource, allow_anyone, org_of
from salesforce_emulator.api.grants import check_client_id, is_user, redirect_uri_mismatch
from salesforce_emulator.api.oauth import base_url
from salesforce_emulator.api.request_body import Form, form_parameters
from salesforce_emulator.api.user import running_user
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.errors import OAuthError
from salesforce_emulator.storage.authorizations import Authorization
from salesforce_emulator.ui.page import html_page, is_addressed_locally, misdirected

AUTHORIZE = "/services/oauth2/authorize"
CONSENT = "/setup/secur/RemoteAccessAuthorizationPage.apexp"

SCOPES = {
    "api": "Manage user data via APIs",
    "web": "Manage user data via web browsers",
    "full": "Full access",
    "id": "Access the identity URL service",
    "refresh_token": "Perform requests at any time",
    "offline_access": "Perform requests at any time",
}
"""The scopes that the org's app may ask for, in Salesforce's words (OAuth Tokens and Scopes)."""

DEFAULT_SCOPE = "api id refresh_token"
"""What an app gets that names no scope: those that it was set up with (documented), which are assumed to be these."""


async def authorize(request: Request) -> Response:
    """Show the login page to a request for authorization; a POST is the form of that page."""
    if not is_addressed_locally(request):
        return misdirected()
    parameters = dict(request.query_params)
    settings = org_of(request).config
    try:
        check_client_id(settings, parameters)
        redirect_uri = _redirect_uri(settings, parameters)
    except OAuthError as error:
        callback_urls = " ".join(settings.callback_urls)
        hint = f"The org's app is {settings.client_id}; its callback URLs, which --callback-url sets: {callback_urls}"
        return _error_page(error, hint)
    try:
        authorization = _authorization(redirect_uri, parameters)
    except OAuthError as error:
        return _to_app(redirect_uri, parameters.get("state"), error.parameters)
    if request.method == "POST":
        return await _log_in(request, authorization)
    return await run_in_threadpool(_login_page, request, authorization, parameters.get("login_hint", ""))


def _redirect_uri(settings: EmulatorConfig, parameters: Form) -> str:
    """Return the callback URL to answer to.

    Raises:
        OAuthError: the request names none, or none of the app's.
    """
    redirect_uri = parameters.get("redirect_uri")
    if not redirect_uri:
        raise OAuthError("redirect_uri_missing", "redirect_uri not provided")
    if redirect_uri not in settings.callback_urls:
        raise redirect_uri_mismatch()
    return redirect_uri


def _authorization(redirect_uri: str, parameters: Form) -> Authorization:
    """Return what the app asks for.

    Raises:
        OAuthError: it asks for another response than a code, or for a scope that it may not have.
    """
    if parameters.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    scopes = dict.fromkeys((parameters.get("scope") or DEFAULT_SCOPE).split())
    if not SCOPES.keys() >= scopes.keys():
        raise OAuthError("invalid_scope", "the requested scope is not allowed")  # assumed: text
    return Authorization(
        client_id=parameters["client_id"],
        redirect_uri=redirect_uri,
        scope=" ".join(scopes),
        state=parameters.get("state"),
        code_challenge=parameters.get("code_challenge"),
        code_challenge_method=parameters.get("code_challenge_method"),
    )


async def _log_in(request: Request, authorization: Authorization) -> Response:
    """Go on to the consent page, or back to the login page if name or password is wrong."""
    org, form = org_of(request), await form_parameters(request)
    username = form.get("username", "")
    if not await run_in_threadpool(is_user, org, username, form.get("pw", "")):
        return await run_in_threadpool(_login_page, request, authorization, username, is_refused=True)
    source = await run_in_threadpool(org.authorizations.issue, "consent", authorization)
    return RedirectResponse(f"{CONSENT}?{urlencode({'source': source})}", 303)


def _login_page(request: Request, authorization: Authorization, username: str, is_refused: bool = False) -> Response:
    org = org_of(request)
    values = {
        "address": base_url(request),
        "organization": org.organization,
        "client_id": authorization.client_id,
        "user": running_user(org),
        "username": username,
        "password": _public_password(org.config),
        "is_refused": is_refused,
    }
    return html_page("login.html", values, form_targets="'self'")


def _public_password(settings: EmulatorConfig) -> str | None:
    """Return the password if it is the default, which is public; any other password may be a secret."""
    return settings.password if settings.password == config.PASSWORD else None


async def consent(request: Request) -> Response:
    """Show the consent page; a POST is its form, with the button that the user pressed."""
    if not is_addressed_locally(request):
        return misdirected()
    org, source = org_of(request), request.query_params.get("source", "")
    is_decided = request.method == "POST"
    look_up = org.authorizations.take if is_decided else org.authorizations.find
    authorization = await run_in_threadpool(look_up, "consent", source)
    if authorization is None:
        return _error_page(
            OAuthError("invalid_request", "this page has expired or was answered"), "Begin again in the app."
        )
    if not is_decided:
        return await run_in_threadpool(_consent_page, request, authorization)
    if "save" not in await form_parameters(request):
        denial = OAuthError("access_denied", "end-user denied authorization")
        return _to_app(authorization.redirect_uri, authorization.state, denial.parameters)
    code = await run_in_threadpool(org.authorizations.issue, "code", authorization)
    return _to_app(authorization.redirect_uri, authorization.state, {"code": code})


def _consent_page(request: Request, authorization: Authorization) -> Response:
    org = org_of(request)
    values = {
        "address": base_url(request),
        "organization": org.organization,
        "authorization": authorization,
        "scopes": [(scope, SCOPES[scope]) for scope in authorization.scope.split()],
        "user": running_user(org),
    }
    # Browsers hold the redirect to the callback URL to this policy, too.
    return html_page("consent.html", values, form_targets=f"'self' {urlsplit(authorization.redirect_uri).scheme}:")


def _to_app(redirect_uri: str, state: str | None, parameters: Form) -> Response:
    """Send the browser to the callback URL, with these parameters and the state of the app."""
    url = urlsplit(redirect_uri)
    added = urlencode(parameters | ({} if state is None else {"state": state}))
    return RedirectResponse(urlunsplit(url._replace(query=f"{url.query}&{added}" if url.query else added)), 303)


def _error_page(error: OAuthError, hint: str) -> Response:
    values = {
        "error": error.parameters["error"],
        "description": error.parameters.get("error_description", ""),
        "hint": hint,
    }
    return html_page("oauth_error.html", values, error.status)


ROUTES = [
    Route(AUTHORIZE, Resource(check=allow_anyone, GET=authorize, POST=authorize)),
    Route(CONSENT, Resource(check=allow_anyone, GET=consent, POST=consent)),
]
