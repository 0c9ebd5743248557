// One socket of an order: it says when something changed, and when it is gone.

const PING_MS = 30_000;
const REGISTER_MS = 15_000;

export interface Listener {
  /** From now on changes are told. */
  opened(): void;
  /** The order has this version, or one of its messages changed. */
  changed(version: number): void;
  closed(): void;
}

interface Frame {
  type?: string;
  version?: number;
}

export class OrderSocket {
  readonly #socket: WebSocket;
  readonly #listener: Listener;
  #answer: number;
  #pings = 0;

  constructor(url: string, order: string, version: number, listener: Listener) {
    this.#listener = listener;
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.#send({ type: "register", since: { [order]: version } });
    this.#socket.onmessage = ({ data }) => this.#receive(String(data));
    this.#socket.onclose = () => this.#end();
    this.#answer = window.setTimeout(() => this.#end(), REGISTER_MS);
    this.#pings = window.setInterval(() => this.#ping(), PING_MS);
  }

  /** Tells nobody. */
  close(): void {
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    window.clearTimeout(this.#answer);
    window.clearInterval(this.#pings);
    this.#socket.close();
  }

  #send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** A network that is gone closes no socket: only the answer that does not come tells. */
  #ping(): void {
    window.clearTimeout(this.#answer);
    this.#answer = window.setTimeout(() => this.#end(), REGISTER_MS);
    this.#send({ type: "ping" });
  }

  #receive(text: string): void {
    const { type, version } = parse(text);
    window.clearTimeout(this.#answer);
    if (type === "error") this.#end();
    if (type === "registered") this.#listener.opened();
    if (type === "order_update") this.#listener.changed(version ?? 0);
    if (type === "message_status_update") this.#listener.changed(0);
  }

  #end(): void {
    this.close();
    this.#listener.closed();
  }
}

function parse(text: string): Frame {
  try {
    return (JSON.parse(text) as Frame | null) ?? {};
  } catch {
    return {};
  }
}
