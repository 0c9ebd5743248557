import { html, nothing, type TemplateResult } from "lit";

import "./event.ts";
import "./job.ts";
import { time } from "../format.ts";
import { ListView } from "../list-view.ts";
import { mark } from "../mark.ts";
import type { Column, Filter } from "../parts.ts";
import { redrive } from "../redrive.ts";
import { isAdmin } from "../session.ts";
import type { InboundEvent } from "../types.ts";

const STATUSES = ["received", "processed", "unmatched", "ignored", "quarantined", "failed"];
const SOURCES = ["shiprocket", "shipway", "esahayak", "whatsapp", "api"];

export class Inbound extends ListView<InboundEvent> {
  protected override readonly heading = "Inbound events";
  protected override readonly path = "/api/webhooks/logs";
  protected override readonly filters: Filter[] = [
    { name: "status", label: "Status", options: STATUSES },
    { name: "source", label: "Source", options: SOURCES },
    { name: "account_code", label: "Account" },
    { name: "order_id", label: "Order" },
    { name: "from", label: "From", type: "datetime-local" },
    { name: "to", label: "To", type: "datetime-local" },
  ];

  constructor() {
    super();
    this.addEventListener("settled", () => void this.reload(true));
  }

  protected override key(item: InboundEvent): string {
    return item.id;
  }

  protected override columns(): Column<InboundEvent>[] {
    return [
      { title: "Status", cell: (it) => mark(it.status) },
      { title: "Received", cell: (it) => time(it.received_at) },
      { title: "Source", cell: (it) => it.source },
      { title: "Account", cell: (it) => it.account_code ?? "" },
      { title: "Reason", cell: (it) => it.reason ?? "" },
      { title: "Processed", cell: (it) => time(it.settled_at) },
    ];
  }

  protected override empty(): string {
    if (this.value("order_id")) {
      return "No event of the last 90 days reached this order. One that failed, or waits for the order, is listed without this filter.";
    }
    const isFiltered = this.filters.some(({ name }) => this.value(name));
    return isFiltered
      ? "No event of the last 90 days matches these filters."
      : "No events yet. Every webhook that a provider sends with valid credentials appears here.";
  }

  protected override above(): unknown {
    const job = this.value("job");
    return html`${job ? html`<waypost-job .job=${job}></waypost-job>` : nothing} ${this.all()}`;
  }

  /** Only what a redrive can filter by: it must not begin more than the list shows. */
  private all(): unknown {
    if (!isAdmin() || this.value("status") !== "failed" || this.value("order_id")) return nothing;
    if (!this.list.data?.items.length) return nothing;
    const names = ["source", "account_code", "from", "to"].filter((name) => this.value(name));
    const filter = Object.fromEntries(names.map((name) => [name, this.value(name)]));
    const start = () =>
      void redrive({
        path: "/api/dlq/events/replay",
        thing: ["failed event", "failed events"],
        filter,
      });
    return html`<p class="actions">
      <button type="button" @click=${start}>Retry all that match…</button>
    </p>`;
  }

  protected override panel(open: string): TemplateResult {
    return html`<waypost-event .event=${open} .route=${this.route}></waypost-event>`;
  }
}
customElements.define("waypost-inbound", Inbound);
