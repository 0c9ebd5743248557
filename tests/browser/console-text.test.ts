// Markup in every field stays text.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page } from "playwright-core";

import { settled, signIn, useBrowser, visit, withPage } from "./browser.ts";
import { ACCOUNT, api, createOrder, deliveryOf, report, unique, withEndpoint } from "./stack.ts";

useBrowser();

const SCRIPT = "<script>document.title='run'</script><img src=x onerror=alert(1)>";
/** Ids may not contain a slash. */
const IN_ID = "<img src=x onerror=alert(1)>";

async function hasOnlyText(page: Page): Promise<void> {
  await settled(page);
  assert.equal(await page.locator("main img, main script, main iframe").count(), 0);
  assert.equal(await page.locator("script").count(), 1);
  assert.notEqual(await page.title(), "run");
}

test("markup in an order, its messages, deliveries, answers and events is shown as text", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.answers({ status: 400, body: SCRIPT });
    const orderId = unique(`${IN_ID} `);
    const awb = unique(IN_ID);
    await createOrder({
      orderId,
      awb,
      carrierName: SCRIPT,
      customer: { firstName: SCRIPT, lastName: SCRIPT },
      customerNotes: SCRIPT,
    });
    await api("POST", "/api/orders/message-tracking", {
      order_id: orderId,
      account_code: ACCOUNT,
      message_status: "failed",
      channel: IN_ID,
      template: IN_ID,
      error: { code: "1", title: SCRIPT },
    });
    await report(orderId, "assigned", { note: SCRIPT, awb });
    const { id } = await deliveryOf(orderId, endpoint.name, "dead");
    await withPage({}, async (page) => {
      await signIn(page, "admin");
      const query = new URLSearchParams({ id: orderId, account_code: ACCOUNT, open: id });
      await visit(page, `#/order?${query}`);
      await page.getByRole("heading", { name: `Order ${orderId}` }).waitFor();
      await page.getByRole("heading", { name: awb }).waitFor();
      await page.getByText("Answer", { exact: true }).click();
      await page.getByText("What is sent").click();
      await page
        .getByRole("region", { name: "Beginning of the answer" })
        .getByText(SCRIPT)
        .waitFor();
      await page.locator(".story").getByText(IN_ID).first().waitFor();
      await hasOnlyText(page);
      await visit(page, `#/deliveries?endpoint=${endpoint.name}`);
      await page.getByRole("cell", { name: orderId }).waitFor();
      await hasOnlyText(page);
      await visit(page, `#/inbound?source=api&account_code=${ACCOUNT}`);
      await page.getByRole("row").nth(1).getByRole("link").click();
      await page.getByRole("button", { name: /^Show/ }).click();
      await page.getByText("document.title").waitFor();
      await hasOnlyText(page);
    });
  });
});

test("markup in the address, the search box and the sign-in is shown as text", async () => {
  await withPage({}, async (page) => {
    await signIn(page, "admin");
    for (const view of ["order?id", "deliveries?open", "inbound?open", "endpoints?open"]) {
      await visit(page, `#/${view}=${encodeURIComponent(SCRIPT)}`);
      await hasOnlyText(page);
    }
    await visit(page, `#/deliveries?job=${encodeURIComponent(SCRIPT)}`);
    await hasOnlyText(page);
    await page.getByRole("searchbox").fill(SCRIPT);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("Nothing found.").waitFor();
    await hasOnlyText(page);
  });
});
