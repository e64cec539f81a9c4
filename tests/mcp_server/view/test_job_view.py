"""The page of a job: how hosts find it, and what it may do."""

import base64
import hashlib
import re

import pytest
from inline_snapshot import snapshot
from mcp.server.apps import APP_MIME_TYPE
from mcp_types import TextResourceContents

from salesforce_bulk_ingest.mcp_server.view.job_view import VIEW_URI, page
from tests.support.orgs import ERAS, Era, agent


@pytest.mark.parametrize("era", ERAS)
async def test_the_two_tools_whose_answers_it_shows_name_it(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name: tool.meta for tool in tools if tool.meta} == snapshot(
        {
            "get-ingest-job-status": {"ui": {"resourceUri": "ui://salesforce-bulk/job.html"}},
            "get-failed-results-ingest-job": {"ui": {"resourceUri": "ui://salesforce-bulk/job.html"}},
        }
    )


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("read_only", [False, True])
async def test_it_is_read_as_a_page_of_the_extension_that_needs_nothing_from_elsewhere(
    era: Era, read_only: bool, org_url: str
) -> None:
    async with agent(org_url, era=era, read_only=read_only) as client:
        [content] = (await client.read_resource(VIEW_URI)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.uri, content.mime_type, content.text) == (VIEW_URI, APP_MIME_TYPE, page())
    assert content.meta == snapshot(
        {"ui": {"csp": {"connectDomains": [], "resourceDomains": []}, "prefersBorder": True}}
    )


@pytest.mark.parametrize("era", ERAS)
async def test_it_is_not_listed_among_what_a_user_may_attach(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        assert VIEW_URI not in {resource.uri for resource in (await client.list_resources()).resources}


def test_it_is_whole_and_the_browser_is_to_run_and_apply_only_what_is_in_it() -> None:
    [policy] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', page())
    [style] = re.findall(r"<style>(.*?)</style>", page(), re.DOTALL)
    [script] = re.findall(r'<script type="module">(.*?)</script>', page(), re.DOTALL)
    sources = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{sources[0]}'; style-src 'sha256-{sources[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert re.findall(r"https?:|//\w+\.\w|@import|url\(|\bsrc=|\bhref=|{{", page()) == []


def test_it_never_makes_markup_of_a_text() -> None:
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", page()) == []
