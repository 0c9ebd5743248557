import { html, type TemplateResult } from "lit";

import { onlyAccount } from "../accounts.ts";
import { time } from "../format.ts";
import { ListView } from "../list-view.ts";
import type { Column, Filter } from "../parts.ts";
import { href } from "../route.ts";
import type { Page, StaleOrder } from "../types.ts";

/** Orders are polled no longer once the carrier has not known their parcel for a week. */
export class Stale extends ListView<StaleOrder> {
  protected override readonly heading = "Stale orders";
  protected override readonly path = "/api/orders/stale";
  protected override readonly filters: Filter[] = [{ name: "account_code", label: "Account" }];

  private get hasAccount(): boolean {
    return !!(this.value("account_code") || onlyAccount());
  }

  protected override opens(): boolean {
    return false;
  }

  protected override key(item: StaleOrder): string {
    return item.order_id;
  }

  protected override async page(
    from: string | null,
    signal?: AbortSignal,
  ): Promise<Page<StaleOrder>> {
    return this.hasAccount ? super.page(from, signal) : { items: [] };
  }

  protected override columns(): Column<StaleOrder>[] {
    return [
      { title: "Order", cell: order },
      { title: "AWB", cell: (it) => it.awb },
      { title: "Unknown since", cell: (it) => time(it.unknown_since) },
      { title: "Not polled since", cell: (it) => time(it.stale_since) },
    ];
  }

  protected override empty(): string {
    return this.hasAccount
      ? "No stale order: the carrier knows every parcel that is polled."
      : "Choose an account to see its stale orders.";
  }
}
customElements.define("waypost-stale", Stale);

function order(it: StaleOrder): TemplateResult {
  const address = href("order", { id: it.order_id, account_code: it.account_code });
  return html`<a href=${address}>${it.order_id}</a>`;
}
