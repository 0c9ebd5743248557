// Receives Waypost's webhooks: verifies the signature and drops repeats.
// Needs Node 20, no packages.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const BODY_LIMIT = 1024 * 1024;
const TOLERANCE_SECONDS = 5 * 60;
const REMEMBERED_IDS = 10_000;

const key = readKey(process.env.WEBHOOK_SECRET ?? "");

// This memory is lost on a restart and belongs to one process. In production, insert the id into a
// table with a unique key, in the transaction that applies the event, and keep it for 30 days.
const handled = new Set();

function readKey(secret) {
  // Buffer.from skips characters that are not base64, so the format needs a check of its own.
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  if (!/^whsec_[A-Za-z0-9+/]+=*$/.test(secret) || key.length < 24) {
    throw new Error("WEBHOOK_SECRET must be whsec_ and base64 of at least 24 bytes");
  }
  return key;
}

// Returns the verified webhook-id, or undefined.
function verify(headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"] ?? "";
  const signatures = headers["webhook-signature"] ?? "";
  if (!id || !/^\d{1,12}$/.test(timestamp)) return undefined;
  // Limits how long a recorded request can be replayed.
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return undefined;

  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  const expected = `v1,${mac.digest("base64")}`;
  // During a rotation the header carries one signature per secret, separated by spaces.
  return signatures.split(" ").some((signature) => equal(signature, expected)) ? id : undefined;
}

// `===` would leak by its timing how many characters match. timingSafeEqual needs equal lengths.
function equal(left, right) {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function handleOnce(id, body) {
  if (handled.has(id)) return;
  handle(id, body);
  // Recorded after handling: if handle throws, the answer is 500 and Waypost sends it again.
  handled.add(id);
  if (handled.size > REMEMBERED_IDS) handled.delete(handled.values().next().value);
}

// Your code. Waypost waits only seconds for the answer: queue slow work.
function handle(id, body) {
  console.log(`handled ${id}`); // JSON.parse(body) gives the event
}

// The signature covers the bytes as sent; parsed and re-encoded JSON does not verify.
async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  return size <= BODY_LIMIT ? Buffer.concat(chunks) : undefined;
}

async function receive(request) {
  if (request.method !== "POST") return 405;
  const body = await readBody(request);
  if (body === undefined) return 413;
  const id = verify(request.headers, body);
  if (id === undefined) return 400;
  handleOnce(id, body);
  return 204;
}

createServer((request, response) => {
  receive(request)
    .catch((error) => (console.error(error), 500))
    .then((status) => response.writeHead(status).end());
}).listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
