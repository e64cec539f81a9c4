// Keeps the page up to date: fetches it again while it is visible, and replaces the parts that have changed.
const PAUSE_MS = 1000;
const ANSWER_MS = 10000;
const gone = document.getElementById("gone");

function pathTo(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  return element.matches("a[href]") ? `a[href="${CSS.escape(element.getAttribute("href"))}"]` : null;
}

function isSelectedIn(element) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(element, true);
}

function exchange(now, then) {
  if (now.isEqualNode(then) || isSelectedIn(now)) return;
  const focused = now.contains(document.activeElement) ? pathTo(document.activeElement) : null;
  const shifts = [...now.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  now.replaceWith(then);
  then.querySelectorAll(".scroll").forEach((box, index) => { box.scrollLeft = shifts[index] ?? 0; });
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
}

function show(page) {
  const now = document.querySelector("main");
  const then = page.querySelector("main");
  const parts = [...now.children];
  const others = [...then.children];
  const { scrollX, scrollY } = window;
  if (parts.length === others.length && parts.every((part, index) => part.id === others[index].id)) {
    parts.forEach((part, index) => exchange(part, others[index]));
  } else {
    exchange(now, then);
  }
  scrollTo(scrollX, scrollY);
  document.title = page.title;
  const news = document.getElementById("news");
  if (news.textContent !== then.dataset.news) news.textContent = then.dataset.news;
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    gone.hidden = true;
  } catch {
    gone.hidden = false;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const change = (name) => new Promise((resolve) => document.addEventListener(name, resolve, { once: true }));

for (;;) {
  await pause(PAUSE_MS);
  while (document.hidden) await change("visibilitychange");
  await refresh();
}
