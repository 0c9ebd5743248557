import { html, nothing, type TemplateResult } from "lit";

import "./delivery.ts";
import "./job.ts";
import { time, words } from "../format.ts";
import { ListView } from "../list-view.ts";
import { mark } from "../mark.ts";
import type { Column, Filter } from "../parts.ts";
import { redrive } from "../redrive.ts";
import { isAdmin } from "../session.ts";
import type { Delivery } from "../types.ts";

export const STATES = [
  "pending",
  "retrying",
  "parked",
  "delivered",
  "superseded",
  "dead",
  "failed",
  "unknown",
] as const;

export const REASONS = [
  "exhausted",
  "rejected",
  "gone",
  "redirect",
  "aborted",
  "url_refused",
  "endpoint_removed",
  "endpoint_disabled",
  "unusable_settings",
  "parked_too_long",
  "erased",
] as const;

export class Deliveries extends ListView<Delivery> {
  protected override readonly heading = "Deliveries";
  protected override readonly path = "/api/deliveries";
  protected override readonly filters: Filter[] = [
    { name: "state", label: "State", options: STATES },
    { name: "reason", label: "Reason", options: REASONS },
    { name: "endpoint", label: "Endpoint" },
    { name: "account_code", label: "Account" },
    { name: "order_id", label: "Order" },
    { name: "from", label: "From", type: "datetime-local" },
    { name: "to", label: "To", type: "datetime-local" },
  ];

  protected override key(item: Delivery): string {
    return item.id;
  }

  protected override columns(): Column<Delivery>[] {
    return DELIVERY_COLUMNS;
  }

  protected override empty(): string {
    const isFiltered = this.filters.some(({ name }) => this.value(name));
    return isFiltered
      ? "No delivery of the last 30 days matches these filters."
      : "No deliveries yet. One appears with its first attempt: when an order changes and an endpoint is told.";
  }

  protected override above(): unknown {
    const job = this.value("job");
    return html`${job ? html`<waypost-job .job=${job}></waypost-job>` : nothing} ${this.all()}`;
  }

  /** Only what a redrive can filter by: it must not begin more than the list shows. */
  private all(): unknown {
    const isDead = this.value("state") === "dead" && !this.value("order_id");
    if (!isAdmin() || !isDead || !this.list.data?.items.length) return nothing;
    const names = ["endpoint", "reason", "account_code", "from", "to"];
    const given = names.filter((name) => this.value(name));
    const filter = Object.fromEntries(given.map((name) => [name, this.value(name)]));
    const start = () =>
      void redrive({
        path: "/api/dlq/deliveries/replay",
        thing: ["dead delivery", "dead deliveries"],
        filter,
      });
    return html`<p class="actions">
      <button type="button" @click=${start}>Replay all that match…</button>
    </p>`;
  }

  protected override panel(open: string): TemplateResult {
    return html`<waypost-delivery .delivery=${open} .route=${this.route}></waypost-delivery>`;
  }
}
customElements.define("waypost-deliveries", Deliveries);

export const DELIVERY_COLUMNS: Column<Delivery>[] = [
  { title: "State", cell: (it) => mark(it.state) },
  { title: "Last change", cell: (it) => time(it.updated_at) },
  { title: "Endpoint", cell: (it) => it.endpoint },
  { title: "Order", cell: (it) => it.order_id ?? "several" },
  { title: "Event", cell: (it) => it.kind ?? it.format ?? "" },
  { title: "Outcome", cell: outcome },
  { title: "Attempts", cell: (it) => it.attempts, number: true },
  {
    title: "ms",
    cell: (it) => it.last_attempt?.latency_ms ?? "",
    number: true,
  },
];

export function outcome(it: Delivery): string {
  const last = it.last_attempt;
  const answer = last ? String(last.error ?? last.status ?? "") : "";
  return it.reason ? `${words(it.reason)}${answer ? `, ${answer}` : ""}` : answer;
}
