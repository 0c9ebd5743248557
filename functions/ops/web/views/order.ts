// One order: its deliveries, and its story with reports and messages, on one page.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { onlyAccount } from "../accounts.ts";
import { get } from "../api.ts";
import { focusRow, View } from "../element.ts";
import { plural, time } from "../format.ts";
import { Load } from "../load.ts";
import { mark } from "../mark.ts";
import { facts, problem, table } from "../parts.ts";
import { changed, href } from "../route.ts";
import { session } from "../session.ts";
import type { Delivery, Message, Order, Page, Shipment } from "../types.ts";
import { DELIVERY_COLUMNS } from "./deliveries.ts";
import { story } from "./story.ts";

const PAGES_AT_ONCE = 4;

export class OrderView extends View {
  private readonly order = new Load<Order>(this);
  private readonly messages = new Load<Page<Message>>(this);
  private readonly deliveries = new Load<Page<Delivery>>(this);
  private shown = "";

  private get account(): string {
    return this.value("account_code") || onlyAccount() || "";
  }

  protected override willUpdate(): void {
    const asked = `${this.account}/${this.value("id")}`;
    if (asked === this.shown) return;
    this.shown = asked;
    this.read();
  }

  protected override updated(change: PropertyValues): void {
    focusRow(this, change);
  }

  private read(keep = false): void {
    const id = encodeURIComponent(this.value("id"));
    const account_code = this.account;
    if (session()?.role !== "viewer") {
      const path = `/api/external/orders/${id}`;
      void this.order.run((signal) => get(path, { accountCode: account_code }, signal), keep);
      const messages = `/api/orders/${id}/messages`;
      void this.messages.run((signal) => get(messages, { account_code, limit: 100 }, signal), keep);
    }
    if (session()?.role === "partner") return;
    void this.deliveries.run((signal) => this.readDeliveries(null, [], signal), keep);
  }

  /** A page may be empty and still have a next one. */
  private async readDeliveries(
    from: string | null,
    before: Delivery[],
    signal: AbortSignal,
  ): Promise<Page<Delivery>> {
    let [items, page] = [before, from];
    const query = { order_id: this.value("id"), account_code: this.account, limit: 100 };
    for (let pages = 0; pages < PAGES_AT_ONCE; pages += 1) {
      const found = await get<Page<Delivery>>("/api/deliveries", { ...query, page }, signal);
      items = [...items, ...found.items];
      page = found.next_page ?? null;
      if (!page) return { items };
    }
    return page ? { items, next_page: page } : { items };
  }

  private more(): void {
    const { items = [], next_page = null } = this.deliveries.data ?? {};
    void this.deliveries.run((signal) => this.readDeliveries(next_page, items, signal), true);
  }

  override render(): TemplateResult {
    const open = this.value("open");
    return html`<div class="view ${open ? "split" : ""}">
      <section class="list order">
        <div class="title">
          <h1>Order ${this.value("id")}</h1>
          <button type="button" class="plain" @click=${() => this.read(true)}>Refresh</button>
        </div>
        ${problem(this.order.error, () => this.read())}
        ${
          // All at once: later rows would move others under the pointer.
          this.isFirst()
            ? html`<p role="status">Loading…</p>`
            : html`${this.head()} ${this.events()} ${this.sent()}
              ${this.order.data ? this.story(this.order.data) : nothing}`
        }
      </section>
      ${
        open
          ? html`<waypost-delivery .delivery=${open} .route=${this.route}></waypost-delivery>`
          : nothing
      }
    </div>`;
  }

  private isFirst(): boolean {
    const all = [this.order, this.deliveries, this.messages];
    return all.some(({ busy, data }) => busy && !data);
  }

  private head(): unknown {
    const order = this.order.data;
    if (session()?.role === "viewer") {
      return html`<p class="muted">
        Viewers do not read orders: this page has the order's deliveries alone.
      </p>`;
    }
    if (!order) return nothing;
    return facts([
      ["Status", mark(order.status)],
      ["Account", order.accountCode],
      ["AWB", order.awb],
      ["Carrier", order.carrierName],
      ["Version", order.version],
      ["Attempts", order.deliveryAttempts || null],
      ["ETA", time(order.eta)],
      ["Changed", time(order.updatedAt)],
    ]);
  }

  private sent(): unknown {
    const { data, error, busy } = this.deliveries;
    if (session()?.role === "partner") return nothing;
    const open = this.value("open");
    return html`<h2>Deliveries about it</h2>
      ${problem(error, () => this.read())}
      ${
        data
          ? table({
              caption: "Deliveries about this order",
              columns: DELIVERY_COLUMNS.filter(({ title }) => title !== "Order"),
              items: [...data.items].sort(undeliveredFirst),
              empty: data.next_page
                ? "Nothing found yet: the rest is still to be looked through."
                : "Nobody was told about this order: its status has not changed, or no endpoint is set up for its account. Deliveries are kept for 30 days.",
              address: (it) => changed(this.route, { open: it.id }),
              isOpen: (it) => it.id === open,
            })
          : nothing
      }
      ${
        data?.next_page
          ? html`<button type="button" ?disabled=${busy} @click=${() => this.more()}>
              Look for more
            </button>`
          : nothing
      }`;
  }

  private story(order: Order): TemplateResult {
    const deliveries = session()?.role === "partner" ? null : (this.deliveries.data?.items ?? []);
    return html`<h2>Side by side in time</h2>
      ${problem(this.messages.error)}
      ${story({
        route: this.route,
        timeline: order.timeline,
        deliveries,
        messages: this.messages.data?.items ?? [],
      })}
      ${
        order.next_page || this.messages.data?.next_page
          ? html`<p class="muted">Older facts and messages are left out: the newest hundred are here.</p>`
          : nothing
      }
      <h2>Parcels</h2>
      ${
        order.shipments.length
          ? html`<div class="cards">${order.shipments.map(parcel)}</div>`
          : html`<p class="empty">No parcel is known: the order has no AWB yet.</p>`
      }`;
  }

  private events(): unknown {
    if (session()?.role === "partner") return nothing;
    const query = { order_id: this.value("id"), account_code: this.account };
    return html`<p><a href=${href("inbound", query)}>The inbound events that it came from</a></p>`;
  }
}
customElements.define("waypost-order", OrderView);

/** Otherwise they stay in the order of the answer: the newest first. */
function undeliveredFirst(one: Delivery, other: Delivery): number {
  return Number(one.state === "delivered") - Number(other.state === "delivered");
}

function parcel(it: Shipment): TemplateResult {
  const notes = [
    it.direction === "return" && "return",
    it.learnt && "learnt",
    it.replaced && "replaced",
  ];
  return html`<section class="card">
    <h3>${it.awb}</h3>
    <p>${mark(it.status)} ${notes.filter((note) => note).join(", ")}</p>
    ${facts([
      ["Carrier", it.carrierName],
      ["Attempts", it.deliveryAttempts || null],
      ["ETA", time(it.eta)],
    ])}
    ${
      it.checkpoints.length
        ? html`<details>
            <summary>${plural(it.checkpoints.length, "scan")}</summary>
            <ol class="attempts">
              ${it.checkpoints.map(
                ({ at, activity, location }) =>
                  html`<li>${time(at)} ${activity} <span class="muted">${location}</span></li>`,
              )}
            </ol>
          </details>`
        : nothing
    }
  </section>`;
}
