// One question leads through the console: why did this customer not get that webhook?

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page } from "playwright-core";

import { settled, signIn, useBrowser, visit, withPage } from "./browser.ts";
import {
  ACCOUNT,
  api,
  createOrder,
  deliveryOf,
  eventually,
  report,
  unique,
  whatsapp,
  withEndpoint,
} from "./stack.ts";

useBrowser();

async function countClicks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    document.body.dataset.clicks = "0";
    const count = () => {
      const { dataset } = document.body;
      dataset.clicks = String(Number(dataset.clicks) + 1);
    };
    addEventListener("pointerdown", count, true);
  });
  return () => page.evaluate(() => Number(document.body.dataset.clicks));
}

test("from an order id to why a receiver did not get its webhook in at most three clicks", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.answers({ status: 400, body: "unknown field" });
    const orderId = await createOrder();
    await report(orderId, "assigned");
    await deliveryOf(orderId, endpoint.name, "dead");
    await withPage({}, async (page) => {
      await signIn(page, "admin");
      const clicks = await countClicks(page);
      await page.getByRole("searchbox").click();
      await page.keyboard.type(orderId);
      await page.keyboard.press("Tab");
      await page.keyboard.type(ACCOUNT);
      await page.getByRole("button", { name: "Search" }).click();
      const row = page.getByRole("row").filter({ hasText: endpoint.name });
      await row.getByText("rejected, 400").waitFor();
      await row.getByRole("link").click();
      await page.getByText("refused it with an answer that is not retried").waitFor();
      assert.equal(await clicks(), 3);
    });
  });
});

test("an order's page says why nobody was told of it", async () => {
  const orderId = await createOrder();
  await withPage({}, async (page) => {
    await signIn(page, "admin", `#/order?id=${orderId}&account_code=${ACCOUNT}`);
    await page.getByText("Nobody was told about this order").waitFor();
  });
});

test("reports, receivers told, messages and answers stand side by side in time", async () => {
  const messageId = `wamid.${unique("BROWSER")}`;
  const orderId = await createOrder();
  await report(orderId, "assigned", { note: "by hand" });
  await api("POST", "/api/orders/message-tracking", {
    order_id: orderId,
    account_code: ACCOUNT,
    message_status: "sent",
    message_id: messageId,
    channel: "whatsapp",
    template: "order_shipped",
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  await whatsapp({
    statuses: [{ id: messageId, status: "delivered", timestamp, recipient_id: "16505551234" }],
  });
  await whatsapp({
    contacts: [{ profile: { name: "Test Person" }, wa_id: "16505551234" }],
    messages: [
      {
        context: { from: "15550783881", id: messageId },
        from: "16505551234",
        id: `wamid.${unique("ANSWER")}`,
        timestamp,
        type: "text",
        text: { body: "Where is it?" },
      },
    ],
  });
  await deliveryOf(orderId, "demo-standard", "delivered");
  await eventually("the answer", async () => {
    const path = `/api/external/orders/${orderId}?accountCode=${ACCOUNT}`;
    const { timeline } = await api<{ timeline: { answer: object | null }[] }>("GET", path);
    return timeline.find(({ answer }) => answer !== null);
  });
  await withPage({}, async (page) => {
    await signIn(page, "admin", `#/order?id=${orderId}&account_code=${ACCOUNT}`);
    await settled(page);
    const story = page.locator(".story");
    const moment = story.getByRole("listitem").filter({ hasText: "by hand" });
    await moment.getByText("assigned").first().waitFor();
    await moment.getByRole("link", { name: "demo-standard" }).waitFor();
    await story.getByText("order_shipped").waitFor();
    await story.getByText("“Where is it?”").waitFor();
    await moment.getByRole("link", { name: "demo-standard" }).click();
    await page.getByRole("complementary", { name: "Delivery" }).waitFor();
    await page.getByRole("link", { name: "The inbound events that it came from" }).click();
    await page.getByRole("heading", { name: "Inbound events" }).waitFor();
    await settled(page);
    assert.ok((await page.getByRole("row").count()) >= 2);
  });
});

test("the box finds a delivery by its webhook-id, and says where request ids are", async () => {
  const orderId = await createOrder();
  await report(orderId, "assigned");
  const { id } = await deliveryOf(orderId, "demo-standard", "delivered");
  await withPage({}, async (page) => {
    await signIn(page, "admin");
    await page.getByRole("searchbox").fill(id);
    await page.keyboard.press("Enter");
    await page
      .getByRole("complementary", { name: "Delivery" })
      .getByText(orderId)
      .first()
      .waitFor();
    await visit(page, "#/queues");
    await page.getByRole("searchbox").fill("JKJaXmPLvHcESHA=");
    await page.keyboard.press("Enter");
    await page.getByText("It looks like a request id").waitFor();
    await page.getByText("which is its webhook-id").waitFor();
  });
});

test("a body is shown when it is asked for, and the audit log says who asked", async () => {
  const note = unique("note-");
  const orderId = await createOrder();
  await report(orderId, "assigned", { note });
  await deliveryOf(orderId, "demo-standard", "delivered");
  await withPage({}, async (page) => {
    const bodies: string[] = [];
    page.on("response", async (response) => {
      if (response.url().includes("/api/webhooks/logs/")) bodies.push(await response.text());
    });
    await signIn(page, "admin", `#/inbound?order_id=${orderId}&account_code=${ACCOUNT}`);
    await settled(page);
    await page.getByRole("row").nth(1).getByRole("link").click();
    const panel = page.getByRole("complementary", { name: "Inbound event" });
    await panel.getByText("The audit log keeps who asked").waitFor();
    assert.ok(!bodies.join().includes(note), "not even the page has it");
    await panel.getByRole("button", { name: /^Show/ }).click();
    await panel.getByText(note).waitFor();
    const event = await panel.getByRole("code").first().textContent();
    await visit(page, "#/audit");
    await page
      .getByRole("row")
      .filter({ hasText: event ?? "" })
      .filter({ hasText: "event.body" })
      .first()
      .waitFor();
  });
});
