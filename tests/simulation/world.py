"""The world of a plan: an org behind a wire that goes wrong, machines with clocks that jump, and servers that are killed."""

import asyncio
import csv
import io
import random
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar, get_args

import anyio
import anyio.to_thread
import httpx2
import uvicorn
from mcp import Client
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.base.clock import Clock
from salesforce_bulk_ingest.base.threads import THREADS
from salesforce_bulk_ingest.serving.http_protocol import HttpProtocol
from salesforce_bulk_ingest.settings import Settings
from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.errors import ApiError
from salesforce_emulator.faults.plan import Plan as FaultPlan
from salesforce_emulator.faults.request_operations import ResultOperation, request_operation
from salesforce_emulator.org import Org
from tests.faults.org import Lost, OrgAnswer
from tests.simulation.plan import Mishap, Plan, WorldPlan
from tests.simulation.virtual_loop import VirtualLoop
from tests.support.orgs import paths_in

T = TypeVar("T")

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is encrypted, and to load certificates takes 20 ms."""

BEGINNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
PORT = re.compile(r"127\.0\.0\.1:\d+")
RESULT_OPERATIONS = get_args(ResultOperation)
NUMBER = "x-simulated-request"
FOREVER_SECONDS = 1_000_000_000


class Killed(BaseException):
    """What a killed server meets wherever it tries to go on."""


@dataclass
class Story:
    """What happened, line by line, and how often."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def tell(self, line: str, count: str | None = None) -> None:
        """Add a line, and count it."""
        self.lines.append(PORT.sub("127.0.0.1:PORT", line.replace(str(self.folder), "FOLDER")))
        if count:
            self.counts[count] += 1


class WallClock:
    """A clock that somebody sets back and forward."""

    def __init__(self) -> None:
        self.jumped_seconds = 0.0
        self._elapsed = asyncio.get_running_loop().time  # which other threads may ask, too

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return BEGINNING.timestamp() + self._elapsed() + self.jumped_seconds

    def utc(self) -> datetime:
        """Return the time in UTC."""
        return BEGINNING + timedelta(seconds=self._elapsed() + self.jumped_seconds)


class Machine:
    """The machine of one server: its blocking work happens in place, and at one of its steps somebody intervenes.

    Args:
        name: the name of the server.

    Attributes:
        is_dead: whether the server was killed, so that nothing that it does has an effect any more.
        interventions: what happens at a step, by its number.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.interventions: dict[int, Callable[[], None]] = {}
        self._steps = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work in place; other tasks go on before it and after it, as they do beside a thread."""
        await anyio.lowlevel.checkpoint()
        self.step()
        result = work()
        self.step()
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
        return result

    def check_cancelled(self) -> None:
        """Do nothing: nobody can cancel a call while its work happens in place."""

    def step(self) -> None:
        """Count a step, and let happen what is to happen there."""
        if self.is_dead:
            raise Killed
        self._steps += 1
        intervene = self.interventions.pop(self._steps, None)
        if intervene is not None:
            intervene()
        if self.is_dead:
            raise Killed


class Wire:
    """The wire between all servers and the org: one request at a time is on its way, and any number are held.

    Attributes:
        waiting: the numbers of the requests whose answers have not come in whole.
        held: the numbers of the requests that the org holds, or never answers.
        working: the numbers of the requests that the org works on.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._line = anyio.Semaphore(1)
        self._on_line: int | None = None
        self._numbers = 0
        self.waiting: set[int] = set()
        self.held: set[int] = set()
        self.working: set[int] = set()

    def is_in_flight(self) -> bool:
        """Whether bytes are on their way."""
        return bool(self.waiting - self.held or self.working)

    async def begin(self, machine: Machine) -> int:
        """Wait for a request's turn, and return its number."""
        await anyio.sleep(self._chance.choice((0.0, 0.0, 0.05, 0.4)))
        await self._line.acquire()
        self._numbers += 1
        number = self._numbers
        try:
            machine.step()
            await anyio.lowlevel.checkpoint()
        except BaseException:
            self._line.release()
            raise
        self._on_line = number
        self.waiting.add(number)
        return number

    def end(self, number: int) -> None:
        """The answer to a request came in whole, or nobody waits for it any more."""
        self.waiting.discard(number)
        self.free(number)

    def free(self, number: int) -> None:
        """Let the next request on the wire."""
        if self._on_line == number:
            self._on_line = None
            self._line.release()

    def hold(self, number: int) -> None:
        """The org holds a request, and others go on."""
        self.held.add(number)
        self.free(number)

    async def take_up(self, number: int) -> None:
        """The org goes on with a request that it held."""
        await self._line.acquire()
        self._on_line = number
        self.held.discard(number)


class WireTransport(httpx2.AsyncBaseTransport):
    """The end of the wire that is at a server."""

    def __init__(self, wire: Wire, machine: Machine) -> None:
        self._wire = wire
        self._machine = machine
        self._sockets = httpx2.AsyncHTTPTransport(verify=_NO_TLS, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        number = await self._wire.begin(self._machine)
        request.headers[NUMBER] = str(number)
        try:
            response = await self._sockets.handle_async_request(request)
        except BaseException:
            self._wire.end(number)
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Watched(response.stream, lambda: self._wire.end(number))
        return response

    async def aclose(self) -> None:
        await self._sockets.aclose()


class _Watched(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, ended: Callable[[], None]) -> None:
        self._stream = stream
        self._ended = ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._ended()


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request, and the way back for its answer."""

    number: int
    scope: Scope
    receive: Receive
    send: Send

    def __str__(self) -> str:
        path = self.scope["path"]
        return f"{self.scope['method']} {path.rpartition('/ingest')[2] or path}"


class Upstream:
    """The end of the wire that is at the org: it delays, loses and alters answers, and gives the org its turns.

    Attributes:
        taken: the bodies of the uploads that the org took, by the job's id.
        altered: how many answers were altered, by the job's id and the operation.
        deleted: the ids of the jobs that were to be deleted.
        requests: how many requests came in.
    """

    def __init__(self, app: Starlette, wire: Wire, plan: WorldPlan, chance: random.Random, story: Story) -> None:
        self._app = app
        self._wire = wire
        self._rules = dict(plan.rules)
        self._mishaps = list(plan.mishaps)
        self._chance = chance
        self._story = story
        self.org: Org | None = None
        self.clock = WallClock()
        self.taken: dict[str, list[bytes]] = {}
        self.altered: Counter[tuple[str, str]] = Counter()
        self.deleted: set[str] = set()
        self.requests = 0

    def calm(self) -> None:
        """Let nothing go wrong from now on."""
        self._rules.clear()
        self._mishaps.clear()
        if self.org is not None:
            self.org.activate_plan(FaultPlan())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(int(dict(scope["headers"])[NUMBER.encode()]), scope, receive, send)
        self._wire.working.add(exchange.number)
        try:
            await self._answer(exchange)
        finally:
            self._wire.working.discard(exchange.number)
            if exchange.number not in self._wire.waiting:
                self._wire.free(exchange.number)

    async def _answer(self, exchange: "_Exchange") -> None:
        self._go_on()
        operation, job_id = request_operation(exchange.scope["method"], exchange.scope["path"])
        mishap = self._mishap_of(operation)
        what = f"    {exchange}{f' [{mishap}]' if mishap else ''}"
        body = await _whole_body(exchange.receive)
        if body is None:
            self._story.tell(f"{what} broken off")
            return
        if mishap is not None and mishap.kind == "held":
            self._story.tell(f"{what} ...")
            await self._pause(exchange, mishap.seconds)
        if operation == "delete" and job_id is not None:
            self.deleted.add(job_id[:15])
        uploads = self._uploads_to(job_id)
        parts = await self._parts_of_answer(exchange, body)
        if job_id is not None and self._uploads_to(job_id) > uploads:
            self.taken.setdefault(job_id[:15], []).append(body)
        self._story.tell(f"{what} {parts[0]['status'] if parts else 'reset'}")
        if not parts:
            return
        answer = OrgAnswer.of(parts)
        if mishap is not None:
            self._story.counts["mishaps"] += 1
            self.altered[(job_id or "")[:15], operation] += 1
            changed = await self._changed(exchange, mishap, answer)
            if changed is None:
                return
            answer = changed
        date = (b"date", format_datetime(self.clock.utc(), usegmt=True).encode())
        headers = [*answer.headers, date]
        await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": answer.body})

    def _go_on(self) -> None:
        """Let the org work on its jobs, and go wrong where it is time for that."""
        assert self.org is not None
        self.requests += 1
        rules = self._rules.pop(self.requests, None)
        if rules is not None:
            self._story.tell(f"    the org goes wrong: {rules}", "plans of faults")
            self.org.activate_plan(FaultPlan.read({"rules": rules}))
        for _ in range(self._chance.randrange(4)):
            self.org.worker.take_turn()

    def _uploads_to(self, job_id: str | None) -> int:
        """How many uploads the org has taken to a job."""
        assert self.org is not None
        try:
            return self.org.jobs.get(job_id or "").uploads
        except ApiError:
            return 0

    async def _parts_of_answer(self, exchange: "_Exchange", body: bytes) -> list[Message]:
        """Let the org answer; none where it breaks the connection."""
        parts: list[Message] = []

        async def keep(message: Message) -> None:
            parts.append(message)

        await self._app(exchange.scope, _replayed(body, exchange.receive), keep)
        return parts

    async def _changed(self, exchange: "_Exchange", mishap: Mishap, answer: OrgAnswer) -> OrgAnswer | None:
        """What a mishap makes of an answer; None where none is to come."""
        match mishap.kind:
            case "late":
                await self._pause(exchange, mishap.seconds)
            case "cut off":
                exchange.scope["extensions"]["connection"]["abort"]()
                return None
        if mishap.alter is None or (mishap.operation in RESULT_OPERATIONS and _has_line_breaks_in_cells(answer.body)):
            return answer
        try:
            return mishap.alter(answer)
        except Lost:
            self._hold(exchange)
            while (await exchange.receive())["type"] != "http.disconnect":
                pass
            return None
        except (ValueError, KeyError, IndexError, TypeError):
            return answer  # it can't be altered in this way, as an error can't

    def _hold(self, exchange: "_Exchange") -> None:
        self._wire.hold(exchange.number)
        self._wire.working.discard(exchange.number)

    async def _pause(self, exchange: "_Exchange", seconds: float) -> None:
        self._hold(exchange)
        await anyio.sleep(seconds)
        self._wire.working.add(exchange.number)
        await self._wire.take_up(exchange.number)

    def _mishap_of(self, operation: str) -> Mishap | None:
        for mishap in self._mishaps:
            if mishap.operation == operation:
                if mishap.spares:
                    mishap.spares -= 1
                    return None
                mishap.times -= 1
                if not mishap.times:
                    self._mishaps.remove(mishap)
                return mishap
        return None


def _has_line_breaks_in_cells(result: bytes) -> bool:
    """Whether a result has cells with line breaks: what alters results takes each line for a row."""
    text = result.decode(errors="replace")
    return len(text.splitlines()) != sum(1 for _ in csv.reader(io.StringIO(text, newline="")))


async def _whole_body(receive: Receive) -> bytes | None:
    """The whole body of a request; None where the connection broke before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


class Server:
    """A server that is opened again on the same folder after it was killed.

    Args:
        name: its name.
        world: the world that it is in.
        lives: what happens at the steps of each of its lives.
    """

    def __init__(self, name: str, world: "World", lives: list[Mapping[int, str]]) -> None:
        self.name = name
        self._world = world
        self._lives = lives
        self._calls: dict[int, anyio.CancelScope] = {}
        self._call_numbers = 0
        self._client: Client | None = None
        self._scope = anyio.CancelScope()
        self._opening = anyio.Lock()
        self._ended = anyio.Event()
        self._machine = Machine(name)
        self._machine.is_dead = True

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Make a call; return its result, or None where it never comes."""
        client = await self._running()
        machine = self._machine
        THREADS.set(machine)
        self._call_numbers += 1
        number = self._call_numbers
        result = None
        with anyio.CancelScope() as scope:
            self._calls[number] = scope
            try:
                result = await client.call_tool(tool, arguments)
            except BaseException as error:
                # A kill ends a call in the midst of its work, whatever the work makes of that.
                if not machine.is_dead or isinstance(error, anyio.get_cancelled_exc_class()):
                    raise
            finally:
                self._calls.pop(number, None)
        return None if machine.is_dead else result

    def calm(self) -> None:
        """Let nothing happen to the server any more."""
        self._lives = []
        self._machine.interventions.clear()

    def close(self) -> None:
        """End the server."""
        self._scope.cancel()

    async def _running(self) -> Client:
        async with self._opening:
            while self._machine.is_dead:
                if self._client is not None:
                    await self._ended.wait()
                self._machine = Machine(self.name)
                life = self._lives.pop(0) if self._lives else {}
                self._machine.interventions = {step: self._intervention(kind) for step, kind in life.items()}
                self._ended = anyio.Event()
                try:
                    await self._world.tasks.start(self._serve)
                except RuntimeError:  # it did not start
                    if not self._machine.is_dead:
                        raise
            assert self._client is not None
            return self._client

    async def _serve(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        world, machine = self._world, self._machine
        THREADS.set(machine)
        clock = Clock(world.clock.now, anyio.current_time)
        org = EmbeddedOrg(world.url, world.folder)
        settings = Settings(emulator=True, upload_roots=(world.folder,), **world.plan.world.settings)
        transport = WireTransport(world.wire, machine)
        try:
            with anyio.CancelScope() as self._scope:
                async with (
                    open_services(settings, paths_in(world.folder), org, transport=transport, clock=clock) as services,
                    Client(build_mcp(services, None), mode=world.plan.world.era) as self._client,
                ):
                    task_status.started()
                    await anyio.sleep_forever()
        except* Killed:
            pass
        finally:
            self._ended.set()

    def _intervention(self, kind: str) -> Callable[[], None]:
        return {"kill": self._kill, "cancel": self._cancel}.get(kind, lambda: self._world.jump(kind))

    def _kill(self) -> None:
        self._world.story.tell(f"  ! {self.name} is killed", "kills")
        self._machine.is_dead = True
        self._scope.cancel()
        for scope in self._calls.values():
            scope.cancel()

    def _cancel(self) -> None:
        if self._calls:
            number = max(self._calls)
            self._world.story.tell(f"  ! a call at {self.name} is cancelled", "cancelled calls")
            self._calls[number].cancel()


class World:
    """The org, the wire and the servers of a plan."""

    def __init__(self, plan: Plan, folder: Path, story: Story, tasks: anyio.abc.TaskGroup) -> None:
        self.plan = plan
        self.folder = folder
        self.story = story
        self.tasks = tasks
        self.clock = WallClock()
        self.wire = Wire(random.Random(f"{plan.seed} wire"))
        config = EmulatorConfig(
            data_dir=folder / "salesforce",
            seed=plan.seed,
            has_worker_thread=False,
            clock=lambda: self.upstream.clock.utc(),
        )
        self._app = create_app(config)
        self.upstream = Upstream(self._app, self.wire, plan.world, random.Random(f"{plan.seed} org"), story)
        self.servers = [
            Server(f"server {number}", self, [dict(life) for life in lives])
            for number, lives in enumerate(plan.world.lives, 1)
        ]
        self.url = ""

    @property
    def org(self) -> Org:
        """The org."""
        assert self.upstream.org is not None
        return self.upstream.org

    def jump(self, seconds: str) -> None:
        """Set the clock of the servers' machine."""
        self.story.tell(f"  ! the clock jumps by {seconds} s", "clock jumps")
        self.clock.jumped_seconds += float(seconds)

    def calm(self) -> None:
        """Let nothing go wrong from now on."""
        self.story.tell("--- from here on, nothing goes wrong")
        self.upstream.calm()
        for server in self.servers:
            server.calm()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve the org."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        threads = anyio.to_thread.current_default_thread_limiter()
        loop.wait_for_bytes(lambda: self.wire.is_in_flight() or threads.borrowed_tokens > 0)
        async with self._app.router.lifespan_context(self._app) as state:
            assert state is not None
            self.upstream.org = state["org"]
            config = uvicorn.Config(
                self.upstream,
                http=HttpProtocol,
                lifespan="off",
                log_level="warning",
                timeout_keep_alive=FOREVER_SECONDS,
            )
            config.load()
            connections = ServerState()
            server = await loop.create_server(lambda: HttpProtocol(config, connections, dict(state)), "127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                yield
            finally:
                for one in self.servers:
                    one.close()
                server.close()
                for connection in list(connections.connections):
                    connection.transport.abort()
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(0.01)


@asynccontextmanager
async def world_of(plan: Plan, folder: Path, story: Story) -> AsyncIterator[World]:
    """The world of a plan, in a folder that nobody else uses."""
    async with anyio.create_task_group() as tasks:
        world = World(plan, folder, story, tasks)
        async with world.open():
            yield world
        tasks.cancel_scope.cancel()
