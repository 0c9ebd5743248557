// What happens now: events as they come in, deliveries as they go out.

import { html, nothing, type TemplateResult } from "lit";

import { onlyAccount } from "../accounts.ts";
import { get } from "../api.ts";
import { View } from "../element.ts";
import { plural, time } from "../format.ts";
import { mark } from "../mark.ts";
import { filters, problem } from "../parts.ts";
import { href } from "../route.ts";
import { AccountSocket, type Update } from "../socket.ts";
import type { Delivery, InboundEvent, Page } from "../types.ts";
import { outcome } from "./deliveries.ts";

const LOOK_MS = 5_000;
/** So many of each kind are looked at, and so many rows of both are kept. */
const AT_ONCE = 25;
const KEPT = 100;

interface Row {
  /** Another state of the same thing is another row. */
  key: string;
  at: string;
  content: TemplateResult;
}

export class Live extends View {
  static override properties = {
    ...View.properties,
    rows: { state: true },
    waiting: { state: true },
    error: { state: true },
    paused: { state: true },
    pushed: { state: true },
  };

  declare rows: Row[];
  /** Rows that came while the person was at the list, which does not move then. */
  declare waiting: Row[];
  declare error: string;
  declare paused: boolean;
  /** Whether the account's changes come by a socket. */
  declare pushed: boolean;
  private socket: AccountSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private shown: string | null = null;

  constructor() {
    super();
    this.rows = [];
    this.waiting = [];
    this.error = "";
    this.paused = false;
    this.pushed = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.socket?.close();
    this.shown = null;
  }

  protected override willUpdate(): void {
    const account = this.value("account_code");
    if (account === this.shown) return;
    this.shown = account;
    this.rows = [];
    this.waiting = [];
    this.listen(account || onlyAccount());
    void this.look();
  }

  private listen(account: string | null): void {
    this.socket?.close();
    this.socket = null;
    this.pushed = false;
    if (!account) return;
    this.socket = new AccountSocket(account, {
      onState: (isOpen) => {
        this.pushed = isOpen;
      },
      onUpdate: (it) => {
        if (!this.paused) this.take([update(it, account)]);
      },
    });
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    const account = this.shown;
    if (!this.paused && !document.hidden) await this.read();
    if (this.isConnected && this.shown === account) {
      this.timer = setTimeout(() => void this.look(), LOOK_MS);
    }
  }

  private async read(): Promise<void> {
    const account = this.value("account_code");
    const query = { limit: AT_ONCE, account_code: account };
    try {
      const [events, deliveries] = await Promise.all([
        get<Page<InboundEvent>>("/api/webhooks/logs", query),
        get<Page<Delivery>>("/api/deliveries", query),
      ]);
      if (this.shown !== account) return;
      this.error = "";
      this.take([...events.items.map(event), ...deliveries.items.map(delivery)]);
    } catch (error) {
      this.error = error instanceof Error ? error.message : "failed";
    }
  }

  private take(found: Row[]): void {
    const known = new Set([...this.rows, ...this.waiting].map(({ key }) => key));
    const fresh = found.filter(({ key }) => !known.has(key));
    if (fresh.length === 0) return;
    this.waiting = newest([...fresh, ...this.waiting]);
    if (!this.querySelector(".feed:hover, .feed:focus-within")) this.show();
  }

  private show(): void {
    this.rows = newest([...this.waiting, ...this.rows]);
    this.waiting = [];
  }

  private toggle(): void {
    this.paused = !this.paused;
    if (!this.paused) void this.look();
  }

  override render(): TemplateResult {
    return html`<section class="list">
      <div class="title">
        <h1>Live</h1>
        <button type="button" aria-pressed=${this.paused} @click=${() => this.toggle()}>Pause</button>
        <span class="news" role="status">${this.news()}</span>
      </div>
      <p class="muted">
        ${this.paused ? "Paused: nothing is asked for." : this.source()}
      </p>
      ${filters(this.route, [{ name: "account_code", label: "Account" }])} ${problem(this.error)}
      ${
        this.rows.length
          ? html`<ol class="feed">
              ${this.rows.map(({ at, content }) => html`<li>${time(at)} ${content}</li>`)}
            </ol>`
          : html`<p class="empty">
              Nothing yet. A webhook that comes in, and a delivery that goes out, appear here.
            </p>`
      }
    </section>`;
  }

  private source(): string {
    const asked = `asks every ${LOOK_MS / 1000} seconds for the newest events and deliveries; a burst may have more.`;
    if (this.pushed) return `Changes of orders and messages come by a socket. Besides, it ${asked}`;
    const why = this.shown ? "There is no socket here" : "One account alone has a socket";
    return `${why}: it ${asked}`;
  }

  private news(): unknown {
    if (this.waiting.length === 0) return nothing;
    return html`<button type="button" @click=${() => this.show()}>
      ${plural(this.waiting.length, "new row")}
    </button>`;
  }
}
customElements.define("waypost-live", Live);

function newest(rows: Row[]): Row[] {
  return rows.sort((one, other) => other.at.localeCompare(one.at)).slice(0, KEPT);
}

function update(it: Update, account: string): Row {
  const order = it.orderId
    ? html`<a href=${href("order", { id: it.orderId, account_code: account })}>${it.orderId}</a>`
    : nothing;
  const isOrder = it.type === "order_update";
  return {
    key: isOrder ? `${it.orderId} ${it.version}` : `${it.messageId} ${it.status}`,
    at: it.timestamp,
    content: html`${mark(it.status)} ${isOrder ? "order" : "message of"} ${order}
      ${isOrder ? html`<span class="muted">version ${it.version}, pushed</span>` : nothing}`,
  };
}

function event(it: InboundEvent): Row {
  const address = href("inbound", { open: it.id });
  const reason = it.reason ? `: ${it.reason}` : "";
  return {
    key: `${it.id} ${it.status} ${it.settled_at}`,
    at: it.settled_at ?? it.received_at,
    content: html`${mark(it.status)} <a href=${address}>event of ${it.source}</a>
      <span class="muted">${it.account_code}${reason}</span>`,
  };
}

function delivery(it: Delivery): Row {
  const address = href("deliveries", { open: it.id });
  const order = it.order_id
    ? html`of
        <a href=${href("order", { id: it.order_id, account_code: it.account_code })}
          >${it.order_id}</a
        >`
    : nothing;
  return {
    key: `${it.id} ${it.state} ${it.updated_at}`,
    at: it.updated_at,
    content: html`${mark(it.state)} <a href=${address}>delivery to ${it.endpoint}</a> ${order}
      <span class="muted">${outcome(it)}</span>`,
  };
}
