// One box for any id. The text may be a phone number, so it is kept out of the address.

import { accounts, onlyAccount } from "./accounts.ts";
import { get } from "./api.ts";
import { href } from "./route.ts";
import { session } from "./session.ts";
import type { DeliveryDetail, EventDetail, Order, OrderSummary, Page } from "./types.ts";

const ACCOUNTS_AT_ONCE = 8;
const MOST_ACCOUNTS = 40;

export interface Hit {
  what: string;
  text: string;
  address: string;
}

export interface Found {
  hits: Hit[];
  /** Why there may be more. */
  hint: string;
}

export async function search(text: string, account: string): Promise<Found> {
  const given = text.trim();
  const chosen = account.trim() || onlyAccount();
  const all = chosen ? [chosen] : accounts();
  const known = new Map<string, Hit>();
  const collect = async (tries: Promise<Hit[]>[]) => {
    const settled = await Promise.allSettled(tries);
    const hits = settled.flatMap((it) => (it.status === "fulfilled" ? it.value : []));
    for (const hit of hits) known.set(hit.address, hit);
  };
  await collect(byId(given));
  const within: string[] = [];
  while (known.size === 0 && within.length < Math.min(all.length, MOST_ACCOUNTS)) {
    const next = all.slice(within.length, within.length + ACCOUNTS_AT_ONCE);
    within.push(...next);
    await collect(next.flatMap((it) => orders(given, it)));
  }
  const isRequest = known.size === 0 && REQUEST_ID.test(given);
  return { hits: [...known.values()], hint: isRequest ? IN_LOGS : hint(within, all, chosen) };
}

/** As API Gateway makes them, and as random ids of other servers. */
const REQUEST_ID = /^([\w-]{15,}=|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const IN_LOGS =
  "It looks like a request id (x-request-id). Those are in API Gateway's access log alone, with status and route: look there, then search for the order or event.";

function hint(within: string[], all: string[], chosen: string | null): string {
  if (session()?.role === "viewer") return "Viewers find deliveries and events, by their ids.";
  if (all.length === 0) return "To find orders, enter an account beside the search box.";
  if (within.length === 0) return "";
  const names = within.join(", ");
  const more = within.length < all.length ? " Enter another account to search there." : "";
  return chosen ? `Searched in ${names}.` : `Searched for orders in ${names}.${more}`;
}

function byId(text: string): Promise<Hit[]>[] {
  const id = encodeURIComponent(text);
  // The id of a delivery is its `webhook-id`; a message that Waypost sends is a delivery too.
  if (/^(msg|wa)_[a-z2-7]{32}$/.test(text)) return [delivery(id)];
  return /^[a-z2-7]{32}$/.test(text) ? [event(id)] : [];
}

async function delivery(id: string): Promise<Hit[]> {
  const found = await get<DeliveryDetail>(`/api/deliveries/${id}`);
  const text = `${found.endpoint}, ${found.state}`;
  return [{ what: "Delivery", text, address: href("deliveries", { open: found.id }) }];
}

async function event(id: string): Promise<Hit[]> {
  const found = await get<EventDetail>(`/api/webhooks/logs/${id}`);
  const text = `${found.source}, ${found.status}`;
  return [{ what: "Event", text, address: href("inbound", { open: found.id }) }];
}

function orders(text: string, account: string): Promise<Hit[]>[] {
  if (session()?.role === "viewer") return [];
  const digits = text.replace(/[\s-]/g, "");
  const list = (query: Record<string, string>) =>
    get<Page<OrderSummary>>("/api/external/orders", { accountCode: account, limit: 20, ...query });
  const tries = [
    get<Order>(`/api/external/orders/${encodeURIComponent(text)}`, {
      accountCode: account,
      limit: 1,
    }).then((order) => [hit(order)]),
    list({ awb: text }).then(({ items }) => items.map(hit)),
  ];
  if (/^\+?\d{6,15}$/.test(digits)) {
    tries.push(list({ phone: digits }).then(({ items }) => items.map(hit)));
  }
  return tries;
}

function hit(order: OrderSummary): Hit {
  const address = href("order", { id: order.orderId, account_code: order.accountCode });
  return { what: "Order", text: `${order.orderId}, ${order.status}`, address };
}
