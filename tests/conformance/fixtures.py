"""The fixtures that the conformance scenarios name, on our own server: its closed schemas, errors, guard and transport."""

import base64
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.mcpserver.tools import Tool
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CallToolResult,
    ClientCapabilities,
    ContentBlock,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import Field

from salesforce_bulk_ingest.mcp_server.server import IngestServer
from salesforce_bulk_ingest.mcp_server.tool_schema import closed_tool
from salesforce_bulk_ingest.mcp_server.tools import IngestTools

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
"""A picture of one pixel."""

WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
"""A sound of one sample."""

Answer = CallToolResult | InputRequiredResult
Fixture = Callable[..., Awaitable[Answer]]


class FixtureServer(IngestServer):
    """The product's server, with the tools, resources, prompts and handlers that the scenarios call."""

    def __init__(self, name: str, tools: IngestTools, *arguments: Any, **options: Any) -> None:
        super().__init__(name, _WithFixtures(tools), *arguments, **options)
        self.resource("test://static-text", mime_type="text/plain")(static_text)
        self.resource("test://static-binary", mime_type="image/png")(static_binary)
        self.resource("test://template/{id}/data", mime_type="application/json")(template)
        for prompt in PROMPTS:
            self.prompt()(prompt)
        # The SDK serves what 2026-07-28 has removed only by way of its lower server.
        handlers = self._lowlevel_server.add_request_handler
        handlers("logging/setLevel", SetLevelRequestParams, accepted)
        handlers("resources/subscribe", SubscribeRequestParams, accepted)
        handlers("resources/unsubscribe", UnsubscribeRequestParams, accepted)


class _WithFixtures(IngestTools):
    """The nine tools, and after them those of the scenarios."""

    def __init__(self, nine: IngestTools) -> None:
        self._nine = nine
        self.policy = nine.policy
        self.recipes = nine.recipes

    def as_list(self) -> list[Tool]:
        return [*self._nine.as_list(), *_fixture_tools()]

    async def check_write(self, tool: str) -> None:
        await self._nine.check_write(tool)


def _fixture_tools() -> Iterator[Tool]:
    for fixture in TOOLS:
        name = fixture.__name__
        tool = closed_tool(fixture, name=name, title=name, read_only=True, destructive=False, idempotent=True)
        # The only schema that is not made from a function: its keywords have to arrive as they are.
        yield tool if name != SCHEMA_TOOL else tool.model_copy(update={"parameters": SCHEMA_2020_12})


async def accepted(context: ServerRequestContext[Any, Any], params: object) -> EmptyResult:
    return EmptyResult()


# Resources


def static_text() -> str:
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    return base64.b64decode(PNG)


def template(id: str) -> dict[str, Any]:
    return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}


# Prompts


def test_simple_prompt() -> str:
    """Says one sentence."""
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """Says its arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
    """Holds a resource."""
    return [
        UserMessage(_embedded(resourceUri, "Embedded resource content for testing.")),
        UserMessage("Please process the embedded resource above."),
    ]


def test_prompt_with_image() -> list[UserMessage]:
    """Holds a picture."""
    return [UserMessage(_image()), UserMessage("Please analyze the image above.")]


def test_input_required_result_prompt(ctx: Context) -> str | InputRequiredResult:
    """Asks for its context before it says anything."""
    given = _answer(ctx, "user_context")
    if given is None:
        question = _form("What context should the prompt use?", context={"type": "string"})
        return InputRequiredResult(input_requests={"user_context": question})
    return f"The context is {given}."


PROMPTS: tuple[Callable[..., Any], ...] = (
    test_simple_prompt,
    test_prompt_with_arguments,
    test_prompt_with_embedded_resource,
    test_prompt_with_image,
    test_input_required_result_prompt,
)


# Tools that answer at once


async def test_simple_text() -> CallToolResult:
    """Answers with text."""
    return _text("This is a simple text response for testing.")


async def test_image_content() -> CallToolResult:
    """Answers with a picture."""
    return CallToolResult(content=[_image()])


async def test_audio_content() -> CallToolResult:
    """Answers with a sound."""
    return CallToolResult(content=[AudioContent(type="audio", data=WAV, mime_type="audio/wav")])


async def test_embedded_resource() -> CallToolResult:
    """Answers with a resource."""
    return CallToolResult(
        content=[_embedded("test://embedded-resource", "This is an embedded resource content.")],
    )


async def test_multiple_content_types() -> CallToolResult:
    """Answers with text, a picture and a resource."""
    mixed = _embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json")
    content: list[ContentBlock] = [TextContent(type="text", text="Multiple content types test:"), _image(), mixed]
    return CallToolResult(content=content)


async def test_error_handling() -> CallToolResult:
    """Fails."""
    raise ToolError("This tool intentionally returns an error for testing")


async def json_schema_2020_12_tool() -> CallToolResult:
    """Tool with JSON Schema 2020-12 features."""
    return _text("It is its schema that counts.")


async def test_mirrored_argument(
    region: Annotated[str, Field(description="The region.", json_schema_extra={"x-mcp-header": "Region"})],
) -> CallToolResult:
    """Takes an argument that stands in a header too."""
    return _text(region)


# Tools that tell something on the way


async def test_tool_with_progress(ctx: Context) -> CallToolResult:
    """Reports progress three times."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"Completed step {done} of 100")
    return _text("Progress was reported.")


async def test_tool_with_logging(ctx: Context) -> CallToolResult:
    """Logs three messages."""
    for message in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(message)
    return _text("Messages were logged.")


async def test_logging_tool(ctx: Context) -> CallToolResult:
    """Logs a message, for whoever asked for messages."""
    await ctx.info("A message")
    return _text("A message was logged.")


async def test_reconnection(ctx: Context) -> CallToolResult:
    """Closes the stream of its call, if the transport can."""
    await ctx.close_sse_stream()
    return _text("Reconnection test completed.")


async def test_trigger_tool_change(ctx: Context) -> CallToolResult:
    """Tells listeners that the tools have changed."""
    await ctx.notify_tools_changed()
    return _text("Listeners were told.")


async def test_trigger_prompt_change(ctx: Context) -> CallToolResult:
    """Tells listeners that the prompts have changed."""
    await ctx.notify_prompts_changed()
    return _text("Listeners were told.")


# Tools that ask the client in the middle of a call (until 2025-11-25)


async def test_sampling(prompt: str, ctx: Context) -> CallToolResult:
    """Asks the client's model."""
    asked = _message(prompt)
    answer = await ctx.session.create_message(messages=[asked], max_tokens=100, related_request_id=ctx.request_id)
    return _text(f"LLM response: {answer.content}")


async def test_elicitation(message: str, ctx: Context) -> CallToolResult:
    """Asks the user for a name and an address."""
    return await _ask_user(ctx, message, username={"type": "string"}, email={"type": "string"})


async def test_elicitation_sep1034_defaults(ctx: Context) -> CallToolResult:
    """Asks the user with a default for each kind of field."""
    return await _ask_user(
        ctx,
        "Who is it?",
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    )


async def test_elicitation_sep1330_enums(ctx: Context) -> CallToolResult:
    """Asks the user with each kind of choice."""
    names = ["option1", "option2", "option3"]
    titled = [{"const": name, "title": f"The {name}"} for name in names]
    return await _ask_user(
        ctx,
        "Which?",
        untitledSingle={"type": "string", "enum": names},
        titledSingle={"type": "string", "oneOf": titled},
        legacyEnum={"type": "string", "enum": names, "enumNames": [each["title"] for each in titled]},
        untitledMulti={"type": "array", "items": {"type": "string", "enum": names}},
        titledMulti={"type": "array", "items": {"anyOf": titled}},
    )


# Tools whose answer is a question (from 2026-07-28)


async def test_input_required_result_elicitation(ctx: Context) -> Answer:
    """Asks for a name."""
    given = _answer(ctx, "user_name")
    return _ask(user_name=NAME) if given is None else _text(f"Hello, {given}!")


async def test_streaming_elicitation(ctx: Context) -> Answer:
    """Asks for a name, and sends no request on the stream of the call."""
    return await test_input_required_result_elicitation(ctx)


async def test_input_required_result_sampling(ctx: Context) -> Answer:
    """Asks the client's model."""
    given = _answer(ctx, "capital_question")
    return _ask(capital_question=_sampling("What is the capital of France?")) if given is None else _text(given)


async def test_input_required_result_list_roots(ctx: Context) -> Answer:
    """Asks for the client's folders."""
    given = _answer(ctx, "client_roots")
    return _ask(client_roots=ListRootsRequest()) if given is None else _text(given)


async def test_input_required_result_request_state(ctx: Context) -> Answer:
    """Asks for a confirmation, and knows its own state again."""
    if ctx.request_state is None:
        return _ask("first", confirm=_form("Please confirm", ok={"type": "boolean"}))
    return _text("state-ok")


async def test_input_required_result_tampered_state(ctx: Context) -> Answer:
    """Asks for a confirmation; the SDK refuses a state that is not its own."""
    return await test_input_required_result_request_state(ctx)


async def test_input_required_result_multiple_inputs(ctx: Context) -> Answer:
    """Asks three questions at once."""
    greeting = _sampling("Generate a greeting")
    questions: dict[str, InputRequest] = {"user_name": NAME, "greeting": greeting, "client_roots": ListRootsRequest()}
    answers = [_answer(ctx, name) for name in questions]
    return _ask("first", **questions) if None in answers else _text(str(answers))


async def test_input_required_result_multi_round(ctx: Context) -> Answer:
    """Asks twice."""
    if ctx.request_state is None:
        return _ask("first", step1=_form("Step 1: What is your name?", name={"type": "string"}))
    if ctx.request_state == "first":
        return _ask("second", step2=_form("Step 2: What is your favorite color?", color={"type": "string"}))
    return _text(str(_answer(ctx, "step2")))


async def test_input_required_result_capabilities(ctx: Context) -> Answer:
    """Asks only what the client can answer."""
    can = ctx.client_capabilities or ClientCapabilities()
    questions: dict[str, InputRequest] = {}
    if can.elicitation is not None:
        questions["user_name"] = NAME
    if can.sampling is not None:
        questions["greeting"] = _sampling("Generate a greeting")
    return _ask(**questions) if questions else _text("There is nothing to ask.")


async def test_missing_capability(ctx: Context) -> CallToolResult:
    """Needs a client that has a model."""
    if ctx.client_capabilities is None or ctx.client_capabilities.sampling is None:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="This needs a client that has a model.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return _text("The client has a model.")


TOOLS: tuple[Fixture, ...] = (
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_error_handling,
    json_schema_2020_12_tool,
    test_mirrored_argument,
    test_tool_with_progress,
    test_tool_with_logging,
    test_logging_tool,
    test_reconnection,
    test_trigger_tool_change,
    test_trigger_prompt_change,
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_input_required_result_elicitation,
    test_streaming_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_tampered_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_capabilities,
    test_missing_capability,
)

SCHEMA_TOOL = json_schema_2020_12_tool.__name__
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}}}},
    "properties": {
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


# What they are made of


def _text(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)])


def _image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def _embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def _schema(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _form(message: str, **fields: Any) -> ElicitRequest:
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=_schema(fields)))


NAME = _form("What is your name?", name={"type": "string"})


def _message(text: str) -> SamplingMessage:
    return SamplingMessage(role="user", content=TextContent(type="text", text=text))


def _sampling(question: str) -> CreateMessageRequest:
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[_message(question)], max_tokens=100))


def _ask(state: str | None = None, /, **questions: InputRequest) -> InputRequiredResult:
    return InputRequiredResult(input_requests=questions, request_state=state)


def _answer(ctx: Context, question: str) -> str | None:
    """The client's answer to a question as text; None if the call brings none."""
    answer = (ctx.input_responses or {}).get(question)
    if isinstance(answer, ElicitResult):
        return " ".join(map(str, (answer.content or {}).values()))
    return None if answer is None else answer.model_dump_json()


async def _ask_user(ctx: Context, message: str, **fields: Any) -> CallToolResult:
    answer = await ctx.session.elicit_form(message, _schema(fields), related_request_id=ctx.request_id)
    return _text(f"User response: action={answer.action}, content={answer.content}")
