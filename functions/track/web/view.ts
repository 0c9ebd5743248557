// The shown order, and the state of the connection beside its headline.

import type { State, View } from "./live.ts";
import { merge } from "./merge.ts";
import type { Link, Loaded } from "./order.ts";

export class TrackerView implements View {
  readonly link: Link;
  readonly url: string;
  readonly #shown: (tracker: HTMLElement) => void;
  #tracker: HTMLElement | undefined;
  #state: State = "none";

  /** `shown` is called with each new state, before it is in the page. */
  constructor(
    link: Link,
    url: string,
    shown: (tracker: HTMLElement) => void,
    tracker?: HTMLElement | undefined,
  ) {
    this.link = link;
    this.url = url;
    this.#shown = shown;
    this.#tracker = tracker;
  }

  version(): number {
    return Number(this.#tracker?.dataset.version ?? 0);
  }

  hasSockets(): boolean {
    return this.#tracker?.dataset.sockets !== undefined;
  }

  show(loaded: Loaded): void {
    this.#shown(loaded.tracker);
    if (this.#tracker) merge(this.#tracker, loaded.tracker);
    else this.#tracker = loaded.tracker;
    this.tell(this.#state);
  }

  tell(state: State): void {
    this.#state = state;
    const line = this.#tracker?.querySelector<HTMLElement>(".connection");
    if (!this.#tracker || !line) return;
    const text = state === "none" ? "" : (this.#tracker.dataset[state] ?? "");
    line.hidden = text === "";
    line.dataset.state = state;
    if (line.textContent !== text) line.textContent = text;
  }
}
