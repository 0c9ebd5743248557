// The running stack: its API, its settings, and the receiver of deliveries.

import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

interface Stack {
  region: string;
  endpoint_url: string;
  api_url: string;
  receiver_url: string;
  tables: { state: string };
  users: Record<string, { name: string; password: string }>;
  aws: { access_key_id: string };
  sources: {
    shiprocket: { api_key: string };
    whatsapp: { app_secret: string; phone_number_id: string };
  };
}

const FILE = process.env.STACK_FILE ?? "target/local/stack.json";

export const stack: Stack = JSON.parse(readFileSync(FILE, "utf8"));
export const ACCOUNT = "STORE001";

export function unique(prefix: string): string {
  return prefix + randomBytes(5).toString("hex");
}

export function userNamed(name: string): { name: string; password: string } {
  const user = stack.users[name];
  if (!user) throw new Error(`the stack has no user ${name}`);
  return user;
}

export async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const { name, password } = userNamed("admin");
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  const headers = { authorization, "content-type": "application/json" };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(stack.api_url + path, { method, headers, ...sent });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  return (await response.json()) as T;
}

/** Waits until `look` returns something. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`never: ${what}`);
}

export async function setParameter(name: string, value: string, secret = false): Promise<void> {
  const Type = secret ? "SecureString" : "String";
  await ssm("PutParameter", {
    Name: `/waypost/local/${name}`,
    Value: value,
    Type,
    Overwrite: true,
  });
}

/** Decrypted. */
export async function parameter(name: string): Promise<string> {
  const Name = `/waypost/local/${name}`;
  const found = await ssm<{ Parameter: { Value: string } }>("GetParameter", {
    Name,
    WithDecryption: true,
  });
  return found.Parameter.Value;
}

export async function removeParameter(name: string): Promise<void> {
  await ssm("DeleteParameter", { Name: `/waypost/local/${name}` });
}

/** Earlier checks of the stack fail to sign in more often than an address may in a quarter of an hour. */
export async function forgetFailedSignIns(): Promise<void> {
  const quarter = 15 * 60 * 1000;
  const now = Math.floor(Date.now() / quarter) * quarter;
  for (const window of [now, now + quarter]) {
    const sk = { S: new Date(window).toISOString() };
    const Key = { pk: { S: "auth:127.0.0.1" }, sk };
    await aws("dynamodb", "DynamoDB_20120810.DeleteItem", { TableName: stack.tables.state, Key });
  }
}

async function ssm<T>(action: string, body: unknown): Promise<T> {
  return aws("ssm", `AmazonSSM.${action}`, body);
}

/** The emulator checks no signature. */
async function aws<T>(service: string, action: string, body: unknown): Promise<T> {
  const scope = `${stack.aws.access_key_id}/20260101/${stack.region}/${service}/aws4_request`;
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": action,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
  };
  const sent = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(stack.endpoint_url, sent);
  if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** An endpoint of its own for a test, at a path of the receiver that answers as scripted. */
class TestEndpoint {
  readonly name = unique("browser-");

  async add(settings: object): Promise<void> {
    await this.set(settings);
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    await setParameter(`endpoints/${this.name}/secret`, secret, true);
    await setParameter(`endpoints/${this.name}/url`, `${stack.receiver_url}/${this.name}`);
    await this.isKnown();
  }

  async set(settings: object): Promise<void> {
    const all = { format: "order.status_changed", accounts: [ACCOUNT], ...settings };
    await setParameter(`endpoints/${this.name}/settings`, JSON.stringify(all));
  }

  async answers(...responses: object[]): Promise<void> {
    const body = JSON.stringify({ [`/${this.name}`]: responses });
    const response = await fetch(`${stack.receiver_url}/answers`, { method: "PUT", body });
    if (!response.ok) throw new Error(`answers: ${response.status}`);
  }

  async remove(): Promise<void> {
    for (const part of ["url", "secret", "settings"]) {
      await removeParameter(`endpoints/${this.name}/${part}`);
    }
  }

  private async isKnown(): Promise<void> {
    await eventually(`endpoint ${this.name}`, async () => {
      const { items } = await api<{ items: { name: string }[] }>("GET", "/api/endpoints?limit=100");
      return items.find(({ name }) => name === this.name);
    });
  }
}

export async function withEndpoint(
  settings: object,
  test: (endpoint: TestEndpoint) => Promise<void>,
): Promise<void> {
  const endpoint = new TestEndpoint();
  await endpoint.add(settings);
  try {
    await test(endpoint);
  } finally {
    await endpoint.remove();
  }
}

export async function createOrder(fields: object = {}): Promise<string> {
  const orderId = unique("BROWSER-");
  await api("POST", "/api/external/orders", { orderId, accountCode: ACCOUNT, ...fields });
  return orderId;
}

export async function report(orderId: string, status: string, fields: object = {}): Promise<void> {
  const path = `/api/external/orders/${encodeURIComponent(orderId)}/status`;
  await api("POST", `${path}?accountCode=${ACCOUNT}`, { status, ...fields });
}

interface Delivery {
  id: string;
  endpoint: string;
  state: string;
}

/** The order's delivery to this endpoint, once it is in this state. */
export function deliveryOf(orderId: string, endpoint: string, state: string): Promise<Delivery> {
  const path = `/api/deliveries?order_id=${encodeURIComponent(orderId)}&account_code=${ACCOUNT}`;
  return eventually(`${state} delivery of ${orderId}`, async () => {
    const { items } = await api<{ items: Delivery[] }>("GET", path);
    return items.find((it) => it.endpoint === endpoint && it.state === state);
  });
}

/** WhatsApp tells of messages of the demo account's number. */
export async function whatsapp(value: object): Promise<void> {
  const { app_secret, phone_number_id } = stack.sources.whatsapp;
  const metadata = { display_phone_number: "15550783881", phone_number_id };
  const change = {
    field: "messages",
    value: { messaging_product: "whatsapp", metadata, ...value },
  };
  const entry = [{ id: "102290129340398", changes: [change] }];
  const body = JSON.stringify({ object: "whatsapp_business_account", entry });
  const signature = createHmac("sha256", app_secret).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-hub-signature-256": `sha256=${signature}`,
  };
  const response = await fetch(`${stack.api_url}/webhooks/whatsapp`, {
    method: "POST",
    headers,
    body,
  });
  if (!response.ok) throw new Error(`whatsapp: ${response.status}`);
}
