"""Which pages may read answers: those of the origins that the operator listed."""

from pathlib import Path

import pytest

from tests.support.callers import bearer, serving, token_in
from tests.support.plain_http import plain_http

LISTED = "https://app.example"
NEEDED = (
    "authorization,content-type,mcp-session-id,mcp-protocol-version,mcp-method,mcp-name,last-event-id,"
    "sforce-call-options"
)


def preflight(origin: str, method: str = "PUT") -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": NEEDED}


@pytest.mark.parametrize("origin", [LISTED, f"{LISTED}:8443"])
async def test_a_listed_page_is_answered_before_it_has_a_token_and_may_read_refusals(
    origin: str, tmp_path: Path
) -> None:
    token = token_in(tmp_path, "ann")
    async with serving(tmp_path, allowed_origin=[LISTED]) as addresses, plain_http() as http:
        for url in (addresses.mcp_url, f"{addresses.rest_url}/jobs/ingest"):
            asked = await http.options(url, headers=preflight(origin))
            allowed = {name.strip().lower() for name in asked.headers["access-control-allow-headers"].split(",")}
            assert asked.status_code == 200 and allowed >= set(NEEDED.split(","))
            assert "PUT" in asked.headers["access-control-allow-methods"]
            for headers, is_refused in (({}, True), (bearer(token), False)):
                answer = await http.get(url, headers={"Origin": origin, **headers})
                assert (answer.status_code == 401) is is_refused
                assert answer.headers["access-control-allow-origin"] == origin
                assert "Mcp-Session-Id" in answer.headers["access-control-expose-headers"]
                assert "access-control-allow-credentials" not in answer.headers


async def test_no_other_page_gets_an_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, allowed_origin=[LISTED]) as addresses, plain_http() as http:
        for headers in (preflight("https://evil.example"), {"Origin": "https://evil.example"}, preflight("null")):
            answer = await http.options(addresses.mcp_url, headers=headers)
            assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers


async def test_a_page_of_this_machine_reads_answers_only_if_it_is_listed(tmp_path: Path) -> None:
    page = {"Origin": "http://localhost:3000"}
    async with serving(tmp_path, allowed_origin=[LISTED]) as addresses, plain_http(headers=page) as http:
        answer = await http.get(f"{addresses.rest_url}/jobs/ingest")
        assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers
        assert (await http.options(addresses.mcp_url, headers=preflight(page["Origin"]))).status_code == 400


async def test_nothing_is_said_to_pages_where_no_origin_is_listed(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        url = f"{addresses.rest_url}/jobs/ingest"
        for origin in ("http://localhost:3000", "http://127.0.0.1"):
            answer = await http.get(url, headers={"Origin": origin})
            assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers
            assert (await http.options(url, headers=preflight(origin))).status_code == 405
