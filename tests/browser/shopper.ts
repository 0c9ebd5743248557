// Orders as their shoppers see them: links, the carrier's reports, and pages of shops.

import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before } from "node:test";

import {
  ACCOUNT,
  api,
  createOrder,
  eventually,
  parameter,
  setParameter,
  stack,
  unique,
} from "./stack.ts";

const NAMES: Record<number, string> = {
  17: "OUT FOR DELIVERY",
  18: "IN TRANSIT",
  7: "DELIVERED",
  21: "UNDELIVERED",
};

interface Order {
  trackingUrl: string;
  version: number;
}

/** An order with a parcel, and the carrier's reports about it. */
export class Parcel {
  readonly orderId: string;
  readonly awb: string;

  private constructor(orderId: string, awb: string) {
    this.orderId = orderId;
    this.awb = awb;
  }

  static async create(fields: { orderId?: string } = {}): Promise<Parcel> {
    const awb = unique("19");
    const customer = { firstName: "Asha", lastName: "Rao" };
    const items = [{ title: "Tea", qty: 2, price: 1 }];
    const orderId = await createOrder({
      awb,
      carrierName: "Delhivery",
      customer,
      items,
      ...fields,
    });
    return new Parcel(fields.orderId ?? orderId, awb);
  }

  async order(): Promise<Order> {
    const path = `/api/external/orders/${encodeURIComponent(this.orderId)}`;
    return api<Order>("GET", `${path}?accountCode=${ACCOUNT}`);
  }

  async url(): Promise<string> {
    return (await this.order()).trackingUrl;
  }

  async token(): Promise<string> {
    return new URL(await this.url()).searchParams.get("t") ?? "";
  }

  /** Posts a webhook of Shiprocket: a status of the hour `hour`. */
  async report(status: number, hour: number, fields: object = {}): Promise<void> {
    const time = `2026-01-20 ${String(hour).padStart(2, "0")}:00:00`;
    const label = NAMES[status] ?? "";
    const body = {
      awb: this.awb,
      courier_name: "Delhivery Surface",
      current_status: label,
      current_status_id: status,
      shipment_status: label,
      shipment_status_id: status,
      current_timestamp: `20 01 2026 ${time.slice(11)}`,
      order_id: this.orderId,
      is_return: 0,
      scans: [{ date: time, activity: label, location: "Mumbai" }],
      ...fields,
    };
    const response = await fetch(`${stack.api_url}/webhooks/carrier`, {
      method: "POST",
      headers: {
        "x-api-key": stack.sources.shiprocket.api_key,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`webhook: ${response.status}`);
  }

  /** Reports, and waits until the order has it. */
  async reported(status: number, hour: number, fields: object = {}): Promise<void> {
    const { version } = await this.order();
    await this.report(status, hour, fields);
    await eventually(`a change of ${this.orderId}`, async () =>
      (await this.order()).version > version ? true : undefined,
    );
  }
}

/** Posts a webhook of WhatsApp: the status of a message. */
export async function reportMessage(id: string, status: string): Promise<void> {
  const { app_secret, phone_number_id } = stack.sources.whatsapp;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550783881", phone_number_id },
    statuses: [{ id, status, timestamp, recipient_id: "16505551234" }],
  };
  const entry = [{ id: "102290129340398", changes: [{ value, field: "messages" }] }];
  const body = JSON.stringify({ object: "whatsapp_business_account", entry });
  const mac = createHmac("sha256", app_secret).update(body).digest("hex");
  const headers = { "x-hub-signature-256": `sha256=${mac}`, "content-type": "application/json" };
  const url = `${stack.api_url}/webhooks/whatsapp`;
  const response = await fetch(url, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`webhook: ${response.status}`);
}

/** A token of the order whose last day was `day`, counted from 1970. */
export async function tokenOf(orderId: string, day: number): Promise<string> {
  const { keys } = JSON.parse(await parameter("tracking")) as { keys: string[] };
  const mac = createHmac("sha256", keys[0] ?? "");
  const last = Buffer.alloc(8);
  last.writeBigInt64BE(BigInt(day));
  for (const part of [Buffer.from(ACCOUNT), Buffer.from(orderId), last]) {
    const length = Buffer.alloc(8);
    length.writeBigInt64BE(BigInt(part.length));
    mac.update(length).update(part);
  }
  return `${day}-${mac.digest().subarray(0, 16).toString("base64url")}`;
}

/** A site of a shop, at a port of its own. */
export class Shop {
  origin = "";
  #body = "";
  #headers: Record<string, string> = {};
  readonly #server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...this.#headers });
    response.end(`<!DOCTYPE html><html lang="en"><head><title>Shop</title>${this.#body}</html>`);
  });

  /** Runs for all tests of a file; one that is allowed may show orders of the account. */
  static forTests(isAllowed: boolean): Shop {
    const shop = new Shop();
    before(async () => {
      await new Promise<void>((resolve) => shop.#server.listen(0, "127.0.0.1", resolve));
      shop.origin = `http://127.0.0.1:${(shop.#server.address() as AddressInfo).port}`;
      if (isAllowed) await shop.#allow();
    });
    after(() => {
      shop.#server.closeAllConnections();
      shop.#server.close();
    });
    return shop;
  }

  /** The page from now on: what is within `head`, and after it. */
  serves(body: string, headers: Record<string, string> = {}): void {
    this.#body = body;
    this.#headers = headers;
  }

  async #allow(): Promise<void> {
    const setting = JSON.parse(await parameter("tracking"));
    const known = setting.origins ?? {};
    setting.origins = { ...known, [ACCOUNT]: [...(known[ACCOUNT] ?? []), this.origin] };
    await setParameter("tracking", JSON.stringify(setting), true);
    const url = `${stack.api_url}/api/realtime/ticket`;
    const headers = { origin: this.origin };
    await eventually("the new setting", async () => {
      const response = await fetch(url, { method: "OPTIONS", headers });
      return response.headers.get("access-control-allow-origin") ?? undefined;
    });
  }
}
