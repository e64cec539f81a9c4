// The chat of a host: a client of the server, and for each answer with a page the page in a sandbox, on the host side of MCP Apps.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AppBridge, PostMessageTransport, getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";

const HOST = { name: "a chat", version: "1" };
const client = new Client(HOST, { versionNegotiation: { mode: "auto" } });
await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", location.href)));

// What the tests look at: the calls, the messages and the sizes of the page.
const seen = { calls: [], messages: [], sizes: [] };
let bridge = null;

const call = (name, given) => client.callTool({ name, arguments: given });

// The pauses of the page end when the test says so. Hosts put scripts of their own before those of a page, too.
const STEPS = `<script>
  globalThis.pauses = [];
  const later = setTimeout.bind(globalThis);
  globalThis.setTimeout = (done, pause) => (pause > 10_000 ? later(done, pause) : pauses.push(done));
</script>`;

// Options: the context of the host; an answer in place of the tool's, or the reason why the call was cancelled; what the tools answer
// to the page in place of the server; whether the host refuses calls of the page, or messages from it; and whether its pauses end
// step by step.
async function show(name, given, { context = {}, answer, cancelled, answers, refusesCalls, refusesMessages, steps } = {}) {
  const { tools } = await client.listTools();
  const uri = getToolUiResourceUri(tools.find((tool) => tool.name === name));
  const { contents } = await client.readResource({ uri });
  const html = steps ? contents[0].text.replace("<head>", `<head>${STEPS}`) : contents[0].text;
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts allow-same-origin";
  frame.title = "page";
  document.body.append(frame);
  bridge = new AppBridge(null, HOST, { serverTools: {}, message: { text: {} } }, { hostContext: context });
  bridge.oncalltool = async (params) => {
    seen.calls.push(params);
    if (refusesCalls) throw new Error("Pages may call no tools here.");
    return answers?.[params.name] ?? client.callTool(params);
  };
  bridge.onmessage = async ({ content }) => {
    seen.messages.push(content.map((part) => part.text).join(""));
    return { isError: Boolean(refusesMessages) };
  };
  bridge.onsizechange = ({ height }) => {
    seen.sizes.push(height);
    frame.style.height = `${height}px`;
  };
  bridge.onsandboxready = () => bridge.sendSandboxResourceReady({ html, csp: contents[0]._meta?.ui?.csp });
  bridge.oninitialized = async () => {
    await bridge.sendToolInput({ arguments: given });
    if (cancelled) await bridge.sendToolCancelled({ reason: cancelled });
    else await bridge.sendToolResult(answer ?? (await call(name, given)));
  };
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  // Another origin than the host's, as the specification wants it.
  frame.src = `${location.origin.replace("127.0.0.1", "localhost")}/sandbox.html`;
}

const change = (context) => bridge.setHostContext(context);
// Ends once the page has taken what was sent to it before, and the host what the page sent.
const settle = async () => {
  await bridge.request({ method: "ping" });
  await bridge.request({ method: "ping" });
};
const end = () => bridge.teardownResource({});

globalThis.chat = { call, change, end, seen, settle, show };
