// Tries live updates by way of Pusher with a server of its protocol (sockudo) and its client (pusher-js),
// against the running stack: an order's page sees a change, and joins no channel of another order.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import Pusher from "pusher-js";

const stack = JSON.parse(readFileSync("target/local/stack.json", "utf8"));
const ACCOUNT = "STORE001";
const APP = { id: "7", key: "check-key", secret: randomBytes(20).toString("hex") };
const AUTH = `${stack.api_url}/api/realtime/pusher-auth`;
const LONGEST_MS = 30_000;
// That of ConfigTtlSeconds on the local stack, with jitter.
const SETTINGS_MS = 1500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startServer(port) {
  mkdirSync("target/local", { recursive: true });
  const log = openSync("target/local/sockudo-server.log", "w");
  const env = {
    PATH: process.env.PATH,
    HOST: "127.0.0.1",
    PORT: String(port),
    METRICS_ENABLED: "false",
    SOCKUDO_DEFAULT_APP_ID: APP.id,
    SOCKUDO_DEFAULT_APP_KEY: APP.key,
    SOCKUDO_DEFAULT_APP_SECRET: APP.secret,
  };
  const server = spawn("target/tools/bin/sockudo", [], { env, stdio: ["ignore", log, log] });
  await eventually("the server to start", async () => {
    assert.equal(server.exitCode, null, "sockudo ended: see target/local/sockudo-server.log");
    return (await fetch(`http://127.0.0.1:${port}/up`).catch(() => undefined))?.ok;
  });
  return server;
}

async function eventually(what, look) {
  const end = Date.now() + LONGEST_MS;
  while (Date.now() < end) {
    if (await look()) return;
    await pause(100);
  }
  throw new Error(`never: ${what}`);
}

/** A command for operators. Its secret goes to standard input. */
function operate(command, options = {}, input = "") {
  const env = { ...process.env, ...options, STAGE: "local", PYTHONPATH: "tools/local" };
  const run = [".venv/bin/python", ["tools/ops/manage.py", command], { env, input }];
  const done = spawnSync(...run);
  assert.equal(done.status, 0, String(done.stderr));
}

async function call(method, path, headers, body) {
  const response = await fetch(stack.api_url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

const vendor = { "x-vendor-server-secret": stack.vendor_secret };

/** A new order, with the token of its tracking page. */
async function newOrder() {
  const orderId = `pusher-${randomBytes(5).toString("hex")}`;
  const order = { orderId, awb: orderId, carrierName: "Delhivery" };
  await call("POST", "/api/external/orders", vendor, order);
  const { trackingUrl } = await call("GET", `/api/external/orders/${orderId}`, vendor);
  return { orderId, token: new URL(trackingUrl).searchParams.get("t") };
}

function inTransit({ orderId }) {
  const webhook = {
    awb: orderId,
    order_id: orderId,
    is_return: 0,
    shipment_status: "IN TRANSIT",
    shipment_status_id: 18,
    current_timestamp: "20 01 2026 10:00:00",
    scans: [],
  };
  const token = { "x-api-key": stack.sources.shiprocket.api_key };
  return call("POST", "/webhooks/carrier", token, webhook);
}

function connect(port, authorization) {
  return new Pusher(APP.key, {
    cluster: "none",
    wsHost: "127.0.0.1",
    wsPort: port,
    forceTLS: false,
    enabledTransports: ["ws"],
    channelAuthorization: { endpoint: AUTH, transport: "ajax", ...authorization },
  });
}

/** The first of these events on a channel. */
function next(channel, ...events) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${events} on ${channel.name}`)), LONGEST_MS);
    for (const event of events) {
      channel.bind(event, (data) => {
        clearTimeout(late);
        resolve([event, data]);
      });
    }
  });
}

const joins = (channel) =>
  next(channel, "pusher:subscription_succeeded", "pusher:subscription_error");

async function main(port, opened) {
  await pause(SETTINGS_MS);
  const [order, other] = [await newOrder(), await newOrder()];
  const channelOf = ({ orderId }) => `private-order-${orderId}@${ACCOUNT}`;

  const page = connect(port, { params: { token: order.token } });
  const { name, password } = stack.users.partner;
  const basic = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  const shop = connect(port, { headers: { authorization: basic } });
  opened.push(page, shop);
  const own = page.subscribe(channelOf(order));
  const shipments = shop.subscribe(`private-shipments@${ACCOUNT}`);
  for (const channel of [own, shipments]) {
    const [joined, data] = await joins(channel);
    assert.equal(joined, "pusher:subscription_succeeded", JSON.stringify(data));
  }
  console.log("    a page joins the channel of its order, a user that of the account");

  for (const name of [channelOf(other), `private-shipments@${ACCOUNT}`]) {
    const [refused, { status }] = await joins(page.subscribe(name));
    assert.deepEqual([refused, status], ["pusher:subscription_error", 403], name);
  }
  console.log("    the page's token is answered 403 for another order and for the account");

  const changes = [next(own, "status_changed"), next(shipments, "shipment-update")];
  const began = Date.now();
  await inTransit(order);
  for (const change of changes) {
    const [event, news] = await change;
    assert.deepEqual([news.orderId, news.status], [order.orderId, "in_transit"]);
    console.log(`    ${event} came ${Date.now() - began} ms after the carrier's webhook`);
  }
}

const port = await freePort();
const server = await startServer(port);
const opened = [];
try {
  const options = { URL: `http://127.0.0.1:${port}`, APP: APP.id, KEY: APP.key, SECRET: "stdin" };
  operate("pusher-set", options, `${APP.secret}\n`);
  await main(port, opened);
} finally {
  for (const client of opened) client.disconnect();
  operate("pusher-remove");
  server.kill();
}
