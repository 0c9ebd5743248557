// The frame: sign-in or navigation, the search box, and the view of the address.

import { html, nothing, type TemplateResult } from "lit";

import { accounts, learnAccounts, onlyAccount } from "./accounts.ts";
import { get } from "./api.ts";
import { LightElement } from "./element.ts";
import { KEYS, watchKeys } from "./keys.ts";
import { currentRoute, go, type Route } from "./route.ts";
import { type Found, search } from "./search.ts";
import { isAdmin, onSession, session, signOut } from "./session.ts";
import type { Endpoint, Page } from "./types.ts";
import { VIEWS, viewOf } from "./views.ts";

export class Shell extends LightElement {
  static override properties = {
    route: { state: true },
    found: { state: true },
    help: { state: true },
    searching: { state: true },
  };

  declare route: Route;
  declare found: Found | null;
  declare help: boolean;
  declare searching: boolean;
  private user = "";

  constructor() {
    super();
    this.route = currentRoute();
    this.found = null;
    this.help = false;
    this.searching = false;
    addEventListener("hashchange", () => this.follow());
    onSession(() => this.changed());
    watchKeys(() => {
      this.help = !this.help;
    });
    this.changed();
  }

  private follow(): void {
    const before = this.route.view;
    this.route = currentRoute();
    this.found = null;
    this.help = false;
    if (before !== this.route.view) void this.updateComplete.then(() => scrollTo(0, 0));
  }

  private changed(): void {
    const user = session()?.user ?? "";
    if (user && user !== this.user && isAdmin()) void this.learn();
    this.user = user;
    if (!user) this.found = null;
    this.requestUpdate();
  }

  /** For the suggestions beside the search box. */
  private async learn(): Promise<void> {
    try {
      const { items } = await get<Page<Endpoint>>("/api/endpoints", { limit: 100 });
      learnAccounts(items);
      this.requestUpdate();
    } catch {
      // Without suggestions accounts can still be typed.
    }
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = String(fields.get("text") ?? "").trim();
    if (!text) return;
    this.searching = true;
    this.found = null;
    const { route } = this;
    const found = await search(text, String(fields.get("account") ?? ""));
    this.searching = false;
    // The person has gone elsewhere since.
    if (this.route !== route) return;
    const [only, ...others] = found.hits;
    if (only && others.length === 0) return go(only.address);
    this.found = found;
    await this.updateComplete;
    this.querySelector<HTMLElement>("#found a, #found")?.focus();
  }

  protected override updated(): void {
    const title = VIEWS.find(({ name }) => name === this.route.view)?.title ?? "Order";
    document.title = session() ? `${title} · Waypost console` : "Waypost console";
  }

  override render(): TemplateResult {
    if (!session()) return html`<waypost-sign-in></waypost-sign-in>`;
    return html`<a class="skip" href="#main" @click=${this.skip}>Skip to the content</a>
      <header class="bar">
        <strong class="brand">Waypost</strong>
        ${this.box()}
        <p class="who">
          <span>${session()?.user}, ${session()?.role}</span>
          <button type="button" class="plain" @click=${signOut}>Sign out</button>
        </p>
      </header>
      <nav aria-label="Views">
        ${VIEWS.filter(({ allowed }) => allowed()).map(
          ({ name, title }) => html`<a
            href="#/${name}"
            aria-current=${name === this.route.view ? "page" : nothing}
            >${title}</a
          >`,
        )}
      </nav>
      <p id="notice" role="status"></p>
      <main id="main" tabindex="-1">
        ${this.help ? keysHelp() : nothing} ${this.results()} ${viewOf(this.route)}
      </main>
      <datalist id="accounts">
        ${accounts().map((code) => html`<option value=${code}></option>`)}
      </datalist>`;
  }

  /** A link would change the fragment, which has the view. */
  private skip(event: Event): void {
    event.preventDefault();
    document.querySelector<HTMLElement>("#main")?.focus();
  }

  private box(): TemplateResult {
    return html`<form class="search" role="search" @submit=${this.submit}>
      <label class="hidden" for="search">Order id, AWB, phone, event id, delivery id or webhook-id</label>
      <input
        id="search"
        name="text"
        type="search"
        autocomplete="off"
        spellcheck="false"
        placeholder="Order, AWB, phone, event or delivery id"
      />
      ${
        onlyAccount()
          ? nothing
          : html`<label class="hidden" for="account">Account</label>
              <input
                id="account"
                name="account"
                list="accounts"
                autocomplete="off"
                spellcheck="false"
                placeholder="Account"
              />`
      }
      <button type="submit" ?disabled=${this.searching}>Search <kbd aria-hidden="true">/</kbd></button>
    </form>`;
  }

  private results(): TemplateResult | typeof nothing {
    if (!this.found) return nothing;
    const { hits, hint } = this.found;
    const close = () => {
      this.found = null;
    };
    return html`<section id="found" tabindex="-1" aria-label="Search results">
      ${
        hits.length
          ? html`<ul>
              ${hits.map(({ what, text, address }) => html`<li><a href=${address}>${what} ${text}</a></li>`)}
            </ul>`
          : html`<p role="status">Nothing found.</p>
              <p>
                Searched for: an order by its id, AWB or phone; an event by its id; a delivery or a
                message by its id, which is its <code>webhook-id</code>.
              </p>`
      }
      <p class="muted">${hint}</p>
      <button type="button" class="plain" data-close @click=${close}>Close</button>
    </section>`;
  }
}
customElements.define("waypost-console", Shell);

function keysHelp(): TemplateResult {
  return html`<section class="help" aria-labelledby="help-title">
    <h2 id="help-title">Keys</h2>
    <dl>
      ${KEYS.map(([key, text]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${text}</dd></div>`)}
    </dl>
  </section>`;
}
