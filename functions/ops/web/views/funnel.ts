// An account's messages, step by step.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { accounts, onlyAccount } from "../accounts.ts";
import { get } from "../api.ts";
import { LightElement } from "../element.ts";
import { count } from "../format.ts";
import { Load } from "../load.ts";
import { problem } from "../parts.ts";
import { changed, go, type Route } from "../route.ts";
import type { MessageFigures, MessageStats } from "../types.ts";

const DAY_MS = 86_400_000;

export class Funnel extends LightElement {
  static override properties = { route: { attribute: false }, days: { type: Number } };

  declare route: Route;
  declare days: number;
  private readonly load = new Load<MessageStats>(this);
  private shown = "";

  private get account(): string {
    return onlyAccount() ?? this.route.query.get("account_code") ?? "";
  }

  protected override willUpdate(_change: PropertyValues): void {
    const asked = `${this.account} ${this.days}`;
    if (asked === this.shown) return;
    this.shown = asked;
    if (this.account) this.read();
    else this.load.clear();
  }

  private read(): void {
    // Figures are kept by the day: the last 24 hours are in two of them.
    const from = new Date(Date.now() - Math.max(1, this.days - 1) * DAY_MS).toISOString();
    const query = { account_code: this.account, from: from.slice(0, 10) };
    void this.load.run((signal) => get("/api/messages/stats", query, signal), true);
  }

  override render(): TemplateResult {
    const { data, error } = this.load;
    return html`<h2>Messages</h2>
      ${onlyAccount() ? nothing : this.choice()} ${problem(error, () => this.read())}
      ${this.account ? (data ? steps(data.total, this.days) : nothing) : EMPTY}`;
  }

  private choice(): TemplateResult {
    const choose = (event: Event) => {
      const { value } = event.target as HTMLInputElement;
      go(changed(this.route, { account_code: value.trim() }));
    };
    return html`<form class="filters" @submit=${(event: Event) => event.preventDefault()}>
      <label
        ><span>Account</span>
        <input
          list="accounts"
          autocomplete="off"
          spellcheck="false"
          placeholder=${accounts()[0] ?? ""}
          .value=${this.account}
          @change=${choose}
      /></label>
    </form>`;
  }
}
customElements.define("waypost-funnel", Funnel);

const EMPTY = html`<p class="empty">Choose an account to see what became of its messages.</p>`;
const STEPS = ["sent", "accepted", "delivered", "read", "replied"] as const;

function steps(total: MessageFigures, days: number): TemplateResult {
  const time = days === 1 ? "today and yesterday (UTC)" : `the last ${days} days (UTC)`;
  if (!total.sent && !total.failed) {
    return html`<p class="empty">
      No message in ${time}. One is counted when it is sent, or when WhatsApp tells of it.
    </p>`;
  }
  return html`<p class="muted">Of ${time}</p>
    <ul class="funnel">
      ${STEPS.map((name) => bar(name, total[name], total.sent))}
      ${bar("failed", total.failed, total.sent)}
    </ul>`;
}

function bar(name: string, value: number, of: number): TemplateResult {
  const share = of ? ` · ${Math.round((value / of) * 100)} % of sent` : "";
  return html`<li>
    <span>${name}</span>
    <meter class=${name} min="0" max=${Math.max(of, value, 1)} .value=${value} aria-hidden="true"></meter>
    <span>${count(value)}${share}</span>
  </li>`;
}
