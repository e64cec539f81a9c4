// The page of one ingest job. It shows the answer that it was opened with, and reads what is missing with tools that only read.
// Texts of the org are set as text, never as markup, and never become words of the user.
const STATUS = "get-ingest-job-status";
const HEAPS = {
  loaded: { tool: "get-successful-results-ingest-job", title: "Loaded rows", titleOfDelete: "Deleted rows" },
  failed: { tool: "get-failed-results-ingest-job", title: "Failed rows" },
  unprocessed: { tool: "get-unprocessed-records-ingest-job", title: "Rows that were not processed" },
};
const DELETES = new Set(["delete", "hardDelete"]);
const ENDED = new Set(["JobComplete", "Failed", "Aborted"]);
const ROWS_ON_A_PAGE = 10;
const MOST_CAUSES = 20;
const SHORT_CELL = 160;
// Each reading is one of the org's daily requests: while nothing moves, the pauses grow.
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
const MOST_FAILURES = 3; // in a row, before the page leaves it to a click to read again

const JOB_ID = /^[0-9A-Za-z]{15,18}$/;
const STATUS_CODE = /^[A-Z][A-Z0-9_]{0,99}$/;
const FIELD = /^[A-Za-z][A-Za-z0-9_.]{0,99}$/;
// The hidden characters of base/text.py, but for tabs and line breaks, which cells show as they are: shown as their numbers.
const HIDDEN = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{e0000}-\u{e0fff}]--[\t\n]]/gv;

const at = (id) => document.getElementById(id);
const number = (count) => new Intl.NumberFormat("en").format(count);
const rowsOf = (count) => (count === 1 ? "1 row" : `${number(count)} rows`);
const visible = (text) =>
  String(text).replace(HIDDEN, (character) => `[U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function write(target, text) {
  // The same text again would be read out again.
  if (target.textContent !== text) target.textContent = text;
  target.hidden = !text;
}

const context = {};
const job = { id: null, answer: null, sent: null, follows: false, isGone: false };
const isDelete = () => DELETES.has(job.answer?.operation);
const rows = { heap: null, where: null, page: null, before: [], asked: 0 };

const host = new Host({
  ping() {},
  "ui/resource-teardown"() {
    job.isGone = true;
  },
  "ui/notifications/host-context-changed": applyContext,
  "ui/notifications/tool-input"({ arguments: given = {} }) {
    job.id ??= idIn(given.jobId);
    rows.where = whereIn(given.where);
  },
  "ui/notifications/tool-result": (result) => void opened(result),
  "ui/notifications/tool-cancelled"() {
    write(at("summary"), "The call was cancelled. The job goes on by itself.");
    void reread();
  },
});

// What the host and the tools say

function applyContext(changed) {
  Object.assign(context, changed);
  if (["light", "dark"].includes(context.theme)) document.documentElement.dataset.theme = context.theme;
  for (const name of ["--font-sans", "--font-mono"]) {
    const font = context.styles?.variables?.[name];
    if (typeof font === "string") document.documentElement.style.setProperty(name, font);
  }
  for (const side of ["top", "right", "bottom", "left"]) {
    const inset = context.safeAreaInsets?.[side];
    if (Number.isFinite(inset)) document.body.style.setProperty(`--inset-${side}`, `${inset}px`);
  }
  if (job.answer) drawFacts(job.answer);
}

const idIn = (value) => (typeof value === "string" && JOB_ID.test(value) ? value : null);

// Hosts pass the argument on as the model wrote it: an object or its JSON text, with one value or with lists.
function whereIn(value) {
  try {
    const { statusCode, field } = (typeof value === "string" ? JSON.parse(value) : value) ?? {};
    const lists = Object.entries({ statusCode, field }).map(([name, values]) => [name, [values ?? []].flat().map(String)]);
    const given = lists.filter(([, values]) => values.length);
    return given.length ? Object.fromEntries(given) : null;
  } catch {
    return null;
  }
}

const textOf = (result) =>
  (result.content ?? [])
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("\n");

async function opened(result) {
  const answer = result.structuredContent;
  if (result.isError) {
    complain(textOf(result));
    write(at("summary"), "");
  } else if (Array.isArray(answer?.columns)) {
    job.id = idIn(answer.jobId);
    takePage("failed", answer, rows.where);
    await reread();
  } else if (answer?.state) {
    takeJob(result);
    await follow();
  } else if (job.id) {
    await reread();
  } else {
    write(at("summary"), visible(textOf(result)));
  }
}

async function read(tool, given) {
  try {
    const result = await host.ask("tools/call", { name: tool, arguments: given });
    if (result.isError || !result.structuredContent) throw new Error(textOf(result) || "The answer has no data.");
    complain("");
    return result;
  } catch (error) {
    complain(
      `This page could not read more: ${error.message} What stands here is what was read before; the chat can ask for news.`,
    );
    return null;
  }
}

function complain(text) {
  write(at("notice"), visible(text));
  if (text && job.id) at("again").hidden = false;
}

// The job

async function reread() {
  if (!job.id) return;
  const result = await read(STATUS, { jobId: job.id });
  if (!result) return;
  takeJob(result);
  await follow();
}

function takeJob(result) {
  job.answer = result.structuredContent;
  job.id = idIn(job.answer.id) ?? job.id;
  job.sent = job.answer.load?.rows ?? job.sent;
  drawJob(job.answer);
}

async function follow() {
  if (job.follows) return;
  job.follows = true;
  let pause = FIRST_PAUSE_MS;
  let failures = 0;
  let isNews = !rows.heap;
  while (!ENDED.has(job.answer.state) && failures < MOST_FAILURES) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    await isSeen();
    if (job.isGone) return;
    const before = signOf(job.answer);
    const result = await read(STATUS, { jobId: job.id });
    failures = result ? 0 : failures + 1;
    if (result) takeJob(result);
    pause = signOf(job.answer) === before ? Math.min(pause * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
    isNews = true;
  }
  job.follows = false;
  if (isNews && ENDED.has(job.answer.state) && countsOf(job.answer).failed) await showRows("failed");
}

const signOf = ({ state, numberRecordsProcessed }) => `${state} ${numberRecordsProcessed}`;

let isInView = true;
let look = [];
const isLookedAt = () => isInView && !document.hidden;
const isSeen = () => (isLookedAt() ? null : new Promise((resolve) => look.push(resolve)));

function lookedAgain() {
  if (!isLookedAt()) return;
  look.forEach((resolve) => resolve());
  look = [];
}

// The heaps: the server counts the rows that it sent; of other rows, the counters of the job tell some.
function countsOf({ state, rowCounts, numberRecordsProcessed: processed, numberRecordsFailed: failed = 0 }) {
  if (rowCounts) {
    const { successful, failed: refused, unprocessed, inNoResult } = rowCounts;
    return { loaded: successful, failed: refused, unprocessed, missing: inNoResult };
  }
  if (processed === undefined || processed === null) return {};
  const left = !ENDED.has(state) && job.sent !== null ? { unprocessed: Math.max(job.sent - processed, 0), missing: 0 } : {};
  return { loaded: processed - failed, failed, ...left };
}

function drawJob(answer) {
  const hasEnded = ENDED.has(answer.state);
  const counts = countsOf(answer);
  write(at("kind"), `${visible(answer.operation ?? "")} ${visible(answer.object ?? "")}`.trim() || "Ingest job");
  write(at("state"), visible(answer.state));
  at("state").dataset.state = answer.state;
  write(
    at("news"),
    `The job is ${visible(answer.state)}${hasEnded && counts.failed ? `, ${rowsOf(counts.failed)} failed` : ""}.`,
  );
  write(at("summary"), visible(answer.summary ?? ""));
  at("again").hidden = false;
  drawCourse(answer, hasEnded);
  drawHeaps(counts, hasEnded);
  drawFacts(answer);
}

function drawCourse({ state, numberRecordsProcessed: processed, numberRecordsFailed: failed }, hasEnded) {
  at("course").hidden = hasEnded || state === "Open";
  const done = processed ?? 0;
  const isKnown = job.sent !== null && job.sent >= done;
  write(
    at("course-text"),
    `${isKnown ? `${number(done)} of ${rowsOf(job.sent)}` : rowsOf(done)} processed${failed ? `, ${number(failed)} failed` : ""}`,
  );
  if (isKnown) {
    at("progress").max = Math.max(job.sent, 1);
    at("progress").value = done;
  } else {
    at("progress").removeAttribute("value");
  }
}

function drawHeaps(counts, hasEnded) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  at("heaps").hidden = !all;
  for (const box of at("heaps").querySelectorAll("[data-heap]")) {
    const { heap } = box.dataset;
    const count = counts[heap];
    // What is left after the end may be there even where nobody counted it.
    const mayBeThere = hasEnded && heap === "unprocessed";
    box.parentElement.hidden = heap === "missing" ? !hasEnded || count === undefined : count === undefined && !mayBeThere;
    box.querySelector("strong").textContent = count === undefined ? "?" : number(count);
    if (box.matches("button")) box.disabled = !hasEnded || count === 0; // a job has results once it has ended
    at("heaps").querySelector(`.bar .${heap}`).style.flexGrow = count ?? 0;
  }
  write(at("done"), isDelete() ? "deleted" : "loaded");
  write(at("left"), hasEnded ? "not processed" : "not processed yet");
  const rest = hasEnded ? (counts.unprocessed ?? 0) + (counts.missing ?? 0) : 0;
  at("rest").hidden = !rest;
  if (rest && !at("rest").firstChild) at("rest").append(...restQuestion());
}

function drawFacts(answer) {
  const facts = {
    Job: answer.id,
    Org: answer.org,
    Created: timeOf(answer.createdDate),
    "Last change": timeOf(answer.systemModstamp),
  };
  const known = Object.entries(facts).filter(([, value]) => value);
  at("facts").replaceChildren(
    ...known.map(([name, value]) =>
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: visible(value), dir: "auto" })),
    ),
  );
  at("facts").hidden = false;
}

// Times have the form of the host's locale; numbers that of the page's sentences, since 1.234 could be read in two ways.
function timeOf(text) {
  const time = new Date(String(text).replace(/\+0000$/, "Z"));
  if (Number.isNaN(time.getTime())) return null;
  const form = { dateStyle: "medium", timeStyle: "short" };
  try {
    return new Intl.DateTimeFormat(context.locale, { ...form, timeZone: context.timeZone }).format(time);
  } catch {
    return new Intl.DateTimeFormat("en", form).format(time); // a locale or a time zone that the browser does not know
  }
}

// Rows

async function showRows(heap, where = null, offset = 0, before = []) {
  const asked = (rows.asked += 1);
  const given = { jobId: job.id, offset, limit: ROWS_ON_A_PAGE, ...(where && { where }) };
  at("rows").setAttribute("aria-busy", "true");
  const result = await read(HEAPS[heap].tool, given);
  if (asked !== rows.asked) return; // another page was asked for meanwhile
  at("rows").setAttribute("aria-busy", "false");
  if (result) takePage(heap, result.structuredContent, where, before);
}

function takePage(heap, page, where, before = []) {
  Object.assign(rows, { heap, where, page, before });
  for (const button of document.querySelectorAll("button[data-heap]")) {
    button.setAttribute("aria-pressed", String(button.dataset.heap === heap));
  }
  // A page of chosen rows has the causes of these alone.
  if (heap === "failed" && (!where || !drawnCauses)) drawCauses(page.causes ?? [], page.otherCauses ?? 0);
  drawRows();
}

function drawRows() {
  const { heap, where, page } = rows;
  const lists = Object.values(where ?? {});
  const chosen = lists.map((values) => [values].flat().map(visible).join(", ")).join(" on ");
  const title = (isDelete() && HEAPS[heap].titleOfDelete) || HEAPS[heap].title;
  write(at("rows-title"), chosen ? `${title}: ${chosen}` : title);
  write(at("rows-summary"), visible(page.summary ?? ""));
  const omitted = page.columnsOmitted
    ? [element("p", { className: "quiet", textContent: `More columns, not shown: ${number(page.columnsOmitted)}` })]
    : [];
  at("table").replaceChildren(...(page.rows.length ? [tableOf(page), ...omitted] : []));
  at("table").hidden = !page.rows.length;
  at("table").scrollTo(0, 0);
  enable(at("previous"), page.offset > 0);
  enable(at("next"), page.nextOffset !== null && page.nextOffset !== undefined);
  const last = page.offset + page.rows.length;
  write(
    at("place"),
    page.rows.length ? `${number(page.offset + 1)} to ${number(last)}${page.total ? ` of ${number(page.total)}` : ""}` : "",
  );
  at("every").hidden = !chosen;
  at("rows").hidden = false;
}

// Rows have the lines of their source where the server knows them.
function tableOf({ columns, rows: cells, lines }) {
  const headers = [...(lines ? ["Line"] : []), ...columns];
  const names = headers.map((name) => element("th", { scope: "col", textContent: visible(name), dir: "auto" }));
  const records = cells.map((row, index) => {
    const line = lines ? [element("th", { scope: "row", textContent: lines[index] ? number(lines[index]) : "?" })] : [];
    const texts = row.map((cell) => element("td", {}, element("div", { dir: "auto" }, contentOf(visible(cell)))));
    return element("tr", {}, ...line, ...texts);
  });
  const caption = element("caption", { className: "unseen", textContent: at("rows-title").textContent });
  const head = element("thead", {}, element("tr", {}, ...names));
  return element("table", {}, caption, head, element("tbody", {}, ...records));
}

function contentOf(cell) {
  if (cell.length <= SHORT_CELL) return cell;
  const begin = element(
    "summary",
    {},
    `${cell.slice(0, SHORT_CELL)}… `,
    element("small", { textContent: `(${number(cell.length)} characters)` }),
  );
  return element("details", {}, begin, cell);
}

function enable(button, isEnabled) {
  // A button that is switched off would lose the focus of the keyboard.
  button.setAttribute("aria-disabled", String(!isEnabled));
}

// Causes

let drawnCauses = "";

function drawCauses(causes, others) {
  const all = JSON.stringify([causes, others]);
  if (all === drawnCauses) return;
  drawnCauses = all;
  const shown = causes.slice(0, MOST_CAUSES);
  const most = Math.max(...shown.map(({ count }) => count), 1);
  at("causes")
    .querySelector("ol")
    .replaceChildren(...shown.map((cause) => causeOf(cause, most)));
  const more = others + causes.length - shown.length;
  write(at("other-causes"), more ? `Other causes, not listed: ${number(more)}` : "");
  at("causes").hidden = !shown.length;
}

function causeOf(cause, most) {
  const { statusCode, fields = [], count, pattern, advice, retryable, examples = [] } = cause;
  const bar = element("span", { className: "share" });
  bar.style.inlineSize = `${(100 * count) / most}%`;
  bar.setAttribute("aria-hidden", "true");
  const title = element(
    "h3",
    {},
    element("bdi", { textContent: visible(statusCode) }),
    fields.length ? " on " : "",
    element("bdi", { textContent: fields.map(visible).join(", ") }),
    element("span", { className: "count", textContent: rowsOf(count) }),
  );
  const [first] = examples;
  const values = Object.entries(first?.values ?? {}).map(([name, value]) =>
    value ? `${name} = ${value}` : `${name} is blank`,
  );
  const example = [...(first?.line ? [`line ${number(first.line)}`] : []), ...values].join(", ");
  const where = { statusCode, ...(fields.length && { field: fields[0] }) };
  const show = element("button", {
    type: "button",
    textContent: "Show these rows",
    onclick: () => void showRows("failed", where),
  });
  show.setAttribute("aria-label", `Show these rows: ${visible(statusCode)}`);
  return element(
    "li",
    {},
    title,
    bar,
    ...(pattern ? [element("p", {}, element("q", { textContent: visible(pattern), dir: "auto" }))] : []),
    ...(example
      ? [
          element(
            "p",
            { className: "quiet" },
            "First: ",
            element("bdi", { className: "cell", textContent: visible(example) }),
          ),
        ]
      : []),
    element("p", { textContent: visible(advice ?? "") }),
    element(
      "div",
      { className: "actions" },
      show,
      ...question(retryable ? "Ask to send them again" : "Ask how to correct them", causeQuestion(cause)),
    ),
  );
}

// What is asked in the chat. The page changes nothing itself: a job that it made would be unknown to the model and to the person, and
// the rows could go in twice. A question is a message of the user, so it is made of checked names alone, not of texts of the org.

function causeQuestion({ statusCode, fields = [], retryable }) {
  if (!STATUS_CODE.test(statusCode) || !job.id) return null;
  const field = FIELD.test(fields[0] ?? "") ? fields[0] : null;
  const where = { statusCode, ...(field && { field }) };
  const these = `the rows of ingest job ${job.id} that failed with ${statusCode}${field ? ` on ${field}` : ""}`;
  const asked = retryable
    ? `Please send ${these} again, as they were sent, in a new job`
    : `Please look at ${these}, tell me how to correct them, and once I agree send them again in a new job`;
  return `${asked}: create-ingest-job with data ${JSON.stringify({ rowsOf: { jobs: [job.id], where } })}. Ask me before you close it.`;
}

function restQuestion() {
  const data = { rowsOf: { jobs: [job.id], which: ["unprocessed", "missing"] } };
  const [done, these] = isDelete() ? ["deleted", "delete the records of the rows"] : ["loaded", "load the rows"];
  const text = `Please ${these} of ingest job ${job.id} that were not processed or are in no result, in a new job: create-ingest-job with data ${JSON.stringify(data)}. Ask me before you close it.`;
  return question(`Ask for the rest to be ${done}`, text);
}

function question(label, text) {
  if (!text) return [];
  const said = element("p", { className: "said", hidden: true });
  said.setAttribute("role", "status");
  const button = element("button", { type: "button", textContent: label, title: text });
  button.onclick = () => void put(text, button, said);
  return [button, said];
}

async function put(text, button, said) {
  if (button.getAttribute("aria-disabled") === "true") return;
  enable(button, false); // a second click would ask twice
  try {
    const { isError } = await host.ask("ui/message", { role: "user", content: [{ type: "text", text }] });
    if (isError) throw new Error("The host refused.");
    write(said, "Asked in the chat.");
  } catch {
    write(said, `The host takes no message from this page. Write it in the chat: ${text}`);
  }
}

// Start

at("again").onclick = () => void reread();
for (const button of document.querySelectorAll("button[data-heap]")) {
  button.onclick = () => void showRows(button.dataset.heap);
}
at("every").onclick = () => void showRows("failed");
at("previous").onclick = ({ currentTarget }) => {
  if (currentTarget.getAttribute("aria-disabled") === "true") return;
  const before = [...rows.before];
  const offset = before.pop() ?? Math.max(rows.page.offset - ROWS_ON_A_PAGE, 0);
  void showRows(rows.heap, rows.where, offset, before);
};
at("next").onclick = ({ currentTarget }) => {
  if (currentTarget.getAttribute("aria-disabled") === "true") return;
  void showRows(rows.heap, rows.where, rows.page.nextOffset, [...rows.before, rows.page.offset]);
};
document.addEventListener("visibilitychange", lookedAgain);
new IntersectionObserver((entries) => {
  isInView = entries.at(-1).isIntersecting;
  lookedAgain();
}).observe(document.documentElement);

let size = "";
function tellSize() {
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  if (size === `${innerWidth} ${height}`) return;
  size = `${innerWidth} ${height}`;
  host.tell("ui/notifications/size-changed", { width: innerWidth, height });
}

const about = {
  appInfo: { name: "salesforce-bulk-ingest job", version: "1" },
  appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
};
host.ask("ui/initialize", { ...about, protocolVersion: PROTOCOL }).then(
  ({ hostContext = {} }) => {
    applyContext(hostContext);
    host.tell("ui/notifications/initialized");
    tellSize();
    new ResizeObserver(tellSize).observe(document.documentElement);
  },
  (error) => complain(`This page is a part of a chat, and the host did not let it in: ${error.message}`),
);
