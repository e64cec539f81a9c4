"""docs/capability.yaml, in the format of the Ikanos engine, says of the operations what the running server does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from salesforce_bulk_ingest.settings import ENV_NAMES, Settings
from tests.test_contract import CONTRACT, listed

ROOT = Path(__file__).parent.parent.parent
CAPABILITY: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "capability.yaml").read_text("utf-8"))["capability"]
JOBS, ROWS = CAPABILITY["consumes"]
REST, MCP = CAPABILITY["exposes"]
TOOLS: dict[str, Any] = MCP["tools"]
VARIABLE = re.compile(r"\{\{[#/^]?([\w.]+)\}\}")


def consumed() -> dict[str, dict[str, Any]]:
    """Each operation of Salesforce, with the path of its resource, by the name that a call has for it."""
    return {
        f"{JOBS['namespace']}.{name}": {**operation, "path": resource["path"]}
        for resource in JOBS["resources"].values()
        for name, operation in resource["operations"].items()
    }


def calls() -> Iterator[tuple[str, set[str]]]:
    """Each operation that is called, with the names of what the caller hands in."""
    for resource in REST["resources"].values():
        for operation in resource.get("operations", {}).values():
            given = {**resource.get("inputParameters", {}), **operation.get("inputParameters", {})}
            references = operation.get("with", {})
            for reference in references.values():
                namespace, _, name = reference.partition(".")
                assert namespace == REST["namespace"] and name in given
            yield operation["call"], {*given, *references}
    for tool in TOOLS.values():
        yield tool["call"], set(tool["inputParameters"])


def test_its_routes_are_those_of_the_server() -> None:
    routes = {
        f"{operation['method']} {resource['path']}"
        for resource in REST["resources"].values()
        for operation in resource.get("operations", {}).values()
    }
    contract = {row[4].replace("{jobid}", "{{jobid}}") for row in CONTRACT}
    upload = "PUT /v1/jobs/ingest/{{jobid}}/batches"
    assert routes == contract - {upload}
    # Rows are forwarded as they are: from a path to the same path at Salesforce.
    *_, forwarding = REST["resources"].values()
    assert (forwarding["path"], forwarding["forward"]["targetNamespace"]) == (
        "/v1/jobs/ingest/{{path}}",
        ROWS["namespace"],
    )
    assert ROWS["baseUri"] == f"{JOBS['baseUri']}/jobs/ingest"
    (rows,) = ROWS["resources"].values()
    (put,) = rows["operations"].values()
    assert f"{put['method']} /v1/jobs/ingest{rows['path']}" == upload.replace("jobid", "jobId")


def test_its_routes_call_the_same_paths_of_salesforce() -> None:
    for resource in REST["resources"].values():
        for operation in resource.get("operations", {}).values():
            called = consumed()[operation["call"]]
            assert called["method"] == operation["method"]
            assert called["path"].lower() == resource["path"].removeprefix("/v1")


async def test_its_tools_have_the_names_titles_hints_and_arguments_of_the_server(org_url: str) -> None:
    tools = await listed(org_url)
    assert list(TOOLS) == [tool["name"] for tool in tools]
    for tool in tools:
        described, schema = TOOLS[tool["name"]], tool["inputSchema"]
        hints = {name.removesuffix("Hint"): value for name, value in tool["annotations"].items() if name != "title"}
        assert (described["display"], described["hints"]) == (tool["title"], hints)
        arguments = described["inputParameters"]
        assert arguments.keys() <= schema["properties"].keys()
        required = {name for name, argument in arguments.items() if argument.get("required", True)}
        assert required == set(schema.get("required", []))
        for name, argument in arguments.items():
            assert argument["type"] == schema["properties"][name]["type"], (tool["name"], name)


def test_its_tools_call_the_routes_of_the_contract() -> None:
    for name, *_, route in CONTRACT:
        method, path = route.split(" ")
        called = consumed()[TOOLS[name]["call"]]
        assert (called["method"], called["path"].lower()) == (
            method,
            path.removeprefix("/v1").replace("{jobid}", "{{jobid}}"),
        )


def test_every_call_is_given_what_it_needs() -> None:
    operations = consumed()
    called = dict.fromkeys(operations, False)
    for call, given in calls():
        operation = operations[call]
        called[call] = True
        needed = {name.partition(".")[0] for name in VARIABLE.findall(operation["path"] + operation.get("body", ""))}
        assert needed <= given, call
        assert {name for name, one in operation.get("inputParameters", {}).items() if one["in"] == "query"} <= given
    assert all(called.values()), called


def test_rows_leave_as_csv() -> None:
    upload = consumed()[TOOLS["upload-data-ingest-job"]["call"]]
    assert upload["body"] == "{{body.csv}}"
    assert upload["inputParameters"] == {"Content-Type": {"in": "header", "value": "text/csv"}}


def test_its_ports_version_and_token_are_those_of_the_settings() -> None:
    settings = Settings()
    assert (REST["port"], MCP["port"]) == (settings.rest_port, settings.mcp_port)
    assert (REST["address"], MCP["address"]) == (settings.rest_host, settings.mcp_host)
    assert JOBS["baseUri"].endswith(f".salesforce.com/services/data/v{settings.api_version}")
    (binding,) = CAPABILITY["binds"]
    (variable,) = binding["keys"]
    assert variable == binding["keys"][variable] and variable in ENV_NAMES.values()
    for adapter in (JOBS, ROWS):
        assert adapter["authentication"] == {"type": "bearer", "token": f"{{{{{variable}}}}}"}
