// The host of this page: JSON-RPC over postMessage, as MCP Apps has it (specification 2026-01-26).
const PROTOCOL = "2026-01-26";
const METHOD_NOT_FOUND = -32601;
const ANSWER_MS = 60_000; // a call of a tool lasts 45 s at most

class Host {
  #last = 0;
  #pending = new Map();
  #handlers;

  // The handlers are functions by the name of the method that the host sends.
  constructor(handlers) {
    this.#handlers = handlers;
    addEventListener("message", ({ source, data }) => {
      if (source === parent && data?.jsonrpc === "2.0") this.#take(data);
    });
  }

  tell(method, params = {}) {
    this.#post({ method, params });
  }

  ask(method, params) {
    const id = (this.#last += 1);
    return new Promise((resolve, reject) => {
      const late = () => this.#settle({ id, error: { message: "The host does not answer." } });
      this.#pending.set(id, { resolve, reject, timer: setTimeout(late, ANSWER_MS) });
      this.#post({ id, method, params });
    });
  }

  #take({ id, method, params = {}, ...answer }) {
    if (method === undefined) this.#settle({ id, ...answer });
    else if (id === undefined) this.#handlers[method]?.(params);
    else if (method in this.#handlers) this.#post({ id, result: this.#handlers[method](params) ?? {} });
    else this.#post({ id, error: { code: METHOD_NOT_FOUND, message: "Method not found" } });
  }

  #settle({ id, result, error }) {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    clearTimeout(waiting.timer);
    if (error) waiting.reject(new Error(String(error.message ?? "The host refused.")));
    else waiting.resolve(result ?? {});
  }

  #post(message) {
    // The page does not know the origin of its host; it sends nothing that the host does not know already.
    parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }
}
