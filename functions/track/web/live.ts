// Keeps what is shown of an order up to date: by a socket, or by asking every minute where there is
// none. It does not ask while the page is hidden or offline.

import { type Link, type Loaded, load, socketUrl } from "./order.ts";
import { OrderSocket } from "./socket.ts";

const POLL_MS = 60_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/** `none` claims nothing. */
export type State = "none" | "live" | "reconnecting" | "offline";

export interface View {
  readonly link: Link;
  /** Where the server shows the order. */
  readonly url: string;
  /** Of the order that is shown; 0 before the first one. */
  version(): number;
  /** The stage has sockets. */
  hasSockets(): boolean;
  show(loaded: Loaded): void;
  tell(state: State): void;
}

export class Live {
  readonly #view: View;
  readonly #ended = new AbortController();
  #socket: OrderSocket | undefined;
  #timer = 0;
  #failures = 0;
  /** What is shown may be old. */
  #isStale: boolean;
  #isConnecting = false;
  #isUpdating = false;
  #asked = 0;
  #shown = 0;

  constructor(view: View) {
    this.#view = view;
    this.#isStale = view.version() === 0;
  }

  start(): void {
    const { signal } = this.#ended;
    window.addEventListener("online", () => this.#resume(), { signal });
    window.addEventListener("offline", () => this.#suspend(), { signal });
    window.addEventListener("pagehide", () => this.#suspend(), { signal });
    // Other pages are new: they begin by themselves.
    const shown = ({ persisted }: PageTransitionEvent) => persisted && this.#resume();
    window.addEventListener("pageshow", shown, { signal });
    document.addEventListener("visibilitychange", () => this.#resume(), { signal });
    void this.#connect();
  }

  stop(): void {
    this.#ended.abort();
    this.#drop();
  }

  get #isStopped(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Who looks at the page again does not wait. */
  #resume(): void {
    if (this.#socket || document.hidden) return;
    this.#failures = 0;
    this.#isStale = true;
    void this.#connect();
  }

  #suspend(): void {
    this.#drop();
    this.#isStale = true;
    if (!navigator.onLine) this.#view.tell("offline");
  }

  #drop(): void {
    window.clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #connect(): Promise<void> {
    window.clearTimeout(this.#timer);
    const cannot = this.#isStopped || document.hidden || !navigator.onLine;
    if (cannot || this.#isConnecting || this.#socket) return;
    this.#isConnecting = true;
    const done = await this.#attempt();
    this.#isConnecting = false;
    if (!done && !this.#isStopped) this.#retry();
  }

  /** False: try again. */
  async #attempt(): Promise<boolean> {
    if (this.#isStale && !(await this.#refresh())) return false;
    if (this.#isStopped) return true;
    if (!this.#view.hasSockets()) return this.#poll();
    const url = await socketUrl(this.#view.link);
    if (url === 404) return this.#poll();
    // The link may have died: the next attempt shows that.
    this.#isStale = typeof url === "number";
    if (typeof url === "string" && !this.#isStopped) this.#open(url);
    return !this.#isStale;
  }

  #open(url: string): void {
    const closed = (): void => {
      this.#socket = undefined;
      this.#isStale = true;
      this.#retry();
    };
    const opened = (): void => {
      this.#failures = 0;
      this.#view.tell("live");
    };
    const changed = (version: number): void => {
      if (version === 0 || version > this.#view.version()) void this.#update();
    };
    const listener = { opened, changed, closed };
    this.#socket = new OrderSocket(url, this.#view.link.order, this.#view.version(), listener);
  }

  /** Nothing is live, and nothing is wrong. */
  #poll(): boolean {
    this.#failures = 0;
    this.#isStale = true;
    this.#view.tell("none");
    this.#timer = window.setTimeout(() => void this.#connect(), POLL_MS);
    return true;
  }

  #retry(): void {
    this.#view.tell(navigator.onLine ? "reconnecting" : "offline");
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#connect(), this.#wait());
  }

  /** Twice as long each time. Pages that lost their sockets together do not come back together. */
  #wait(): number {
    const doubled = FIRST_WAIT_MS * 2 ** this.#failures;
    this.#failures = Math.min(this.#failures + 1, 6);
    return Math.min(doubled, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
  }

  /** Changes that come together are loaded together. Without the socket, an attempt loads them. */
  async #update(): Promise<void> {
    this.#isStale = true;
    if (this.#isUpdating) return;
    this.#isUpdating = true;
    while (this.#isStale && this.#socket) {
      const done = await this.#refresh();
      if (this.#socket) this.#view.tell(done ? "live" : "reconnecting");
      if (done) this.#failures = 0;
      else await new Promise((resolve) => setTimeout(resolve, this.#wait()));
    }
    this.#isUpdating = false;
  }

  async #refresh(): Promise<boolean> {
    this.#isStale = false;
    this.#asked += 1;
    const turn = this.#asked;
    const loaded = await load(this.#view.url);
    if (!loaded) this.#isStale = true;
    // An answer to an earlier request is older.
    if (loaded && turn > this.#shown && !this.#isStopped) {
      this.#shown = turn;
      this.#view.show(loaded);
      if (!loaded.isOrder) this.#end();
    }
    return loaded !== undefined;
  }

  /** The link is dead. */
  #end(): void {
    this.stop();
    this.#view.tell("none");
  }
}
