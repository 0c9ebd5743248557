// `<order-tracker account order token>`: an order in a page of its shop. What is between its tags is
// shown until there is something to show. A plain element: a library would be larger than all of it.

import { Live } from "./live.ts";
import sheet from "./order-tracker.css?text";
import { TrackerView } from "./view.ts";

const ATTRIBUTES = ["account", "compact", "lang", "order", "token"];

const script =
  document.currentScript ?? document.querySelector('script[src$="/assets/order-tracker.js"]');
const api = new URL("../", script instanceof HTMLScriptElement ? script.src : location.href).href;

const styles = new CSSStyleSheet();
styles.replaceSync(sheet);

class OrderTracker extends HTMLElement {
  static readonly observedAttributes = ATTRIBUTES;
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #slot = document.createElement("slot");
  /** Of the order that is shown. */
  #shown = "";
  #live: Live | undefined;
  #isPlanned = false;

  constructor() {
    super();
    // A style sheet that no policy of the page forbids.
    this.#root.adoptedStyleSheets = [styles];
    this.#root.append(this.#slot);
  }

  connectedCallback(): void {
    this.#plan();
  }

  disconnectedCallback(): void {
    this.#plan();
  }

  attributeChangedCallback(): void {
    this.#plan();
  }

  /** Frameworks set attributes one by one. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.#begin();
    });
  }

  #begin(): void {
    this.#live?.stop();
    this.#live = undefined;
    const [account = "", order = "", token = ""] = ["account", "order", "token"].map(
      (name) => this.getAttribute(name) ?? "",
    );
    const path = `track/${encodeURIComponent(account)}/${encodeURIComponent(order)}`;
    if (this.#shown !== path) this.#root.replaceChildren(this.#slot);
    if (!this.isConnected || !account || !order || !token) return;
    const query = new URLSearchParams({ t: token, embed: this.#form() });
    const language = this.closest<HTMLElement>("[lang]")?.lang.split("-")[0];
    if (language) query.set("lang", language);
    let isNew = true;
    const shown = (tracker: HTMLElement): void => {
      if (isNew) this.#root.replaceChildren(tracker);
      isNew = false;
      this.#shown = path;
    };
    const link = { api, account, order, token };
    this.#live = new Live(new TrackerView(link, `${api}${path}?${query}`, shown));
    this.#live.start();
  }

  #form(): string {
    return this.hasAttribute("compact") ? "compact" : "full";
  }
}

if (!customElements.get("order-tracker")) customElements.define("order-tracker", OrderTracker);
