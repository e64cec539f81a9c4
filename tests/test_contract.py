"""The running server against the contract: names, hints, routes, schemas, and what the list of tools costs."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from starlette.routing import Mount, Route

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app.mcp_surface import SERVER_NAME
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.cli.config import SERVER_KEY
from salesforce_bulk_ingest.mcp_server.arguments import AS_IN_CREATE
from salesforce_bulk_ingest.mcp_server.portable_schema import LISTED_AS
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import MissingCredentials
from salesforce_bulk_ingest.salesforce.transport import open_http
from tests.support.answer_fields import unlisted_fields
from tests.support.guarded import gateway_over, uploads_of
from tests.support.orgs import ERAS, Era, agent

TOKENS_FOR_THE_LIST = 7_000
TOKENS_FOR_THE_INPUTS = 3_600
"""Of name, description and input schema of all tools, which is what most hosts hand to a model."""
LONGEST_DESCRIPTION = 1_024
LONGEST_QUALIFIED_NAME = 60

# name, readOnly, destructive, idempotent, REST
CONTRACT = [
    ("list-all-ingest-jobs", True, False, True, "GET /v1/jobs/ingest"),
    ("create-ingest-job", False, False, False, "POST /v1/jobs/ingest"),
    ("get-ingest-job-status", True, False, True, "GET /v1/jobs/ingest/{jobid}"),
    ("close-abort-ingest-job", False, False, True, "PATCH /v1/jobs/ingest/{jobid}"),
    ("delete-ingest-job", False, True, True, "DELETE /v1/jobs/ingest/{jobid}"),
    ("upload-data-ingest-job", False, False, True, "PUT /v1/jobs/ingest/{jobid}/batches"),
    ("get-failed-results-ingest-job", True, False, True, "GET /v1/jobs/ingest/{jobid}/failedresults"),
    ("get-successful-results-ingest-job", True, False, True, "GET /v1/jobs/ingest/{jobid}/successfulresults"),
    ("get-unprocessed-records-ingest-job", True, False, True, "GET /v1/jobs/ingest/{jobid}/unprocessedrecords"),
]


async def listed(org_url: str, era: Era = "auto") -> list[dict[str, Any]]:
    async with agent(org_url, era=era) as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(by_alias=True, mode="json", exclude_none=True) for tool in tools]


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, list):
        return [node for item in schema for node in nodes(item)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(node for item in schema.values() for node in nodes(item))]


@pytest.mark.parametrize("era", ERAS)
async def test_the_nine_tools_have_their_names_and_hints(era: Era, org_url: str) -> None:
    found = [
        (
            tool["name"],
            tool["annotations"]["readOnlyHint"],
            tool["annotations"]["destructiveHint"],
            tool["annotations"]["idempotentHint"],
        )
        for tool in await listed(org_url, era)
    ]
    assert found == [row[:4] for row in CONTRACT]


async def test_every_tool_has_a_title_and_reaches_an_open_world(org_url: str) -> None:
    for tool in await listed(org_url):
        assert tool["title"] == tool["annotations"]["title"]
        assert tool["annotations"]["openWorldHint"] is True


async def test_descriptions_are_short_enough_for_every_host(org_url: str) -> None:
    for tool in await listed(org_url):
        assert 100 < len(tool["description"]) < LONGEST_DESCRIPTION
        assert "\n" not in tool["description"]


async def test_schemas_are_closed_and_portable(org_url: str) -> None:
    for tool in await listed(org_url):
        for node in nodes(tool["inputSchema"]):
            if node.get("type") == "object" and "properties" in node:
                assert node["additionalProperties"] is False, tool["name"]
        for node in nodes([tool["inputSchema"], tool["outputSchema"]]):
            assert not {"$ref", "$defs", "oneOf", "allOf", "const", LISTED_AS} & node.keys(), tool["name"]
        assert tool["outputSchema"]["type"] == "object"
        assert {"summary", "next"} <= tool["outputSchema"]["properties"].keys()


WITHOUT_DEFAULT = {"csv", "records", "file", "rowsOf", "recipe", "externalIdFieldName"}
"""One of the first four is given, a recipe goes with a file, and the last is for upserts alone."""


async def test_every_argument_has_a_description_and_an_optional_one_names_its_default(org_url: str) -> None:
    for tool in await listed(org_url):
        for node in nodes(tool["inputSchema"]):
            for name, argument in node.get("properties", {}).items():
                assert argument.get("description"), (tool["name"], name)
                if (
                    name not in {*node.get("required", ()), *WITHOUT_DEFAULT}
                    and argument["description"] != AS_IN_CREATE
                ):
                    assert "default" in argument or "Default: " in argument["description"], (tool["name"], name)


async def test_create_and_upload_take_the_same_arguments_about_rows(org_url: str) -> None:
    schemas = {tool["name"]: tool["inputSchema"]["properties"] for tool in await listed(org_url)}
    create, upload = schemas["create-ingest-job"], schemas["upload-data-ingest-job"]
    in_full = {**create.pop("data")["properties"], **create}
    named = {**upload.pop("body")["properties"], **upload}
    assert in_full.keys() - {"body"} == named.keys() - {"jobId"}
    for name in in_full.keys() - {"body"}:
        assert named[name]["type"] == in_full[name]["type"]
        assert named[name] == in_full[name] or named[name]["description"] == AS_IN_CREATE, name


def test_a_field_that_a_schema_does_not_list_is_found_at_every_depth() -> None:
    part = {"type": "object", "properties": {"id": {"type": "string"}}}
    schema = {
        "properties": {"id": {}, "parts": {"items": part}, "counts": {"additionalProperties": {"type": "integer"}}}
    }
    answer = {"id": "1", "parts": [{"id": "1", "more": 1}], "counts": {"any": 1}, "new": None}
    assert list(unlisted_fields(answer, schema)) == [".parts[].more", ".new"]


async def test_null_is_a_type_in_no_argument_but_only_in_cells_and_columns_where_it_is_data(org_url: str) -> None:
    for tool in await listed(org_url):
        for node in nodes(tool["inputSchema"]):
            for argument in node.get("properties", {}).values():
                assert "anyOf" not in argument and isinstance(argument["type"], str), tool["name"]


async def test_the_arguments_are_the_documented_ones(org_url: str) -> None:
    arguments = {tool["name"]: list(tool["inputSchema"].get("properties", {})) for tool in await listed(org_url)}
    assert arguments == snapshot(
        {
            "list-all-ingest-jobs": ["isPkChunkingEnabled", "jobType", "queryLocator"],
            "create-ingest-job": [
                "body",
                "data",
                "part",
                "sha256",
                "dryRun",
                "preflight",
                "loadAgain",
                "linesShown",
                "compare",
            ],
            "get-ingest-job-status": ["jobId", "waitSeconds"],
            "close-abort-ingest-job": ["jobId", "body", "waitSeconds", "confirm", "withoutUndo"],
            "delete-ingest-job": ["jobId"],
            "upload-data-ingest-job": [
                "jobId",
                "body",
                "part",
                "sha256",
                "dryRun",
                "preflight",
                "loadAgain",
                "linesShown",
                "compare",
            ],
            "get-failed-results-ingest-job": ["jobId", "offset", "limit", "columns", "where", "saveAs"],
            "get-successful-results-ingest-job": ["jobId", "offset", "limit", "columns", "saveAs"],
            "get-unprocessed-records-ingest-job": ["jobId", "offset", "limit", "columns", "saveAs"],
        }
    )


async def test_key_and_name_together_stay_under_the_limit_of_hosts(org_url: str) -> None:
    assert all(len(f"{SERVER_KEY}{row[0]}") < LONGEST_QUALIFIED_NAME for row in CONTRACT)


async def test_the_list_of_tools_costs_a_model_no_more_than_its_price(
    org_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = await listed(org_url)
    inputs = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    whole, given = (len(json.dumps(part, ensure_ascii=False)) / 4 for part in (tools, inputs))
    with capsys.disabled():
        print(f"\ntools/list costs {whole:.0f} tokens (characters / 4), what goes in {given:.0f}")  # noqa: T201  asked for
    assert whole <= TOKENS_FOR_THE_LIST and given <= TOKENS_FOR_THE_INPUTS


@pytest.mark.parametrize("era", ERAS)
async def test_the_server_says_its_name_its_version_and_the_order_of_a_load(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == (SERVER_NAME, __version__)
        instructions = client.instructions or ""
        steps = ["create-ingest-job", "upload-data-ingest-job", "close-abort-ingest-job", "get-ingest-job-status"]
        places = [instructions.index(step) for step in steps]
        assert places == sorted(places)


async def test_the_resource_templates_are_there(org_url: str) -> None:
    async with agent(org_url) as client:
        templates = (await client.list_resource_templates()).resource_templates
    assert [(template.uri_template, template.mime_type) for template in templates] == snapshot(
        [
            ("salesforce-bulk://jobs/{jobId}", "application/json"),
            ("salesforce-bulk://jobs/{jobId}/failed-results{?offset,limit,columns,statusCode,field}", "text/csv"),
            ("salesforce-bulk://jobs/{jobId}/successful-results{?offset,limit,columns,statusCode,field}", "text/csv"),
            ("salesforce-bulk://jobs/{jobId}/unprocessed-records{?offset,limit,columns,statusCode,field}", "text/csv"),
            ("salesforce-bulk://jobs/{jobId}/recipe", "application/yaml"),
            ("salesforce-bulk://recipes/{name}", "application/yaml"),
        ]
    )


async def test_the_rest_routes_are_those_of_the_contract(tmp_path: Path) -> None:
    async with open_http(trust_env=False) as http:
        client = SalesforceClient(http, MissingCredentials("none"), "63.0")
        async with anyio.create_task_group() as tasks:
            uploads = uploads_of(client, tmp_path, SharedTasks(tasks))
            app = build_rest(gateway_over(client, uploads, tmp_path))
    found = set()
    for mount in app.routes:
        assert isinstance(mount, Mount)
        for route in mount.routes:
            assert isinstance(route, Route) and route.methods is not None
            path = f"{mount.path}{route.path}".lower()  # any case of the last segment is served
            found |= {f"{method} {path}" for method in route.methods - {"HEAD"}}
    v1 = {row[4] for row in CONTRACT}
    assert found == v1 | {route.replace("/v1", "/services/data/v{version}") for route in v1}
