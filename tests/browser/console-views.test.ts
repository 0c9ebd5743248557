// What holds on every view: the keys, the end of an idle session, text that stays text. And what the
// overview and the live view show.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page } from "playwright-core";

import { settled, signIn, useBrowser, visit, withPage } from "./browser.ts";
import { ACCOUNT, createOrder, deliveryOf, eventually, report, withEndpoint } from "./stack.ts";

useBrowser();

const VIEWS = [
  "overview",
  "live",
  "deliveries",
  "inbound",
  "endpoints",
  "queues",
  "denied",
  "sync",
  "stale",
  "messages",
  "jobs",
  "audit",
  `messages?account_code=${ACCOUNT}`,
  `stale?account_code=${ACCOUNT}`,
];

const isFocused = (page: Page, selector: string) =>
  page.locator(selector).evaluate((it) => it.matches(":focus"));

async function keysHold(page: Page, view: string): Promise<void> {
  const { keyboard } = page;
  await keyboard.press("/");
  assert.ok(await isFocused(page, "#search"), `${view}: / leads to the search box`);
  await keyboard.press("Escape");
  assert.ok(!(await isFocused(page, "#search")), `${view}: esc leaves it`);
  await keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor({ state: "detached" });
  const rows = page.locator("a.row");
  if ((await rows.count()) < 2) return;
  await keyboard.press("j");
  await keyboard.press("j");
  await keyboard.press("k");
  const open = await rows.first().getAttribute("href");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("href"));
  assert.equal(await focused(), open, `${view}: j and k move along the rows`);
  await keyboard.press("Enter");
  await page.getByRole("complementary").waitFor();
  await keyboard.press("Escape");
  await page.getByRole("complementary").waitFor({ state: "detached" });
}

test("the keys do the same on every view", async () => {
  await withPage({}, async (page) => {
    await signIn(page, "admin");
    for (const view of VIEWS) {
      await visit(page, `#/${view}`);
      await settled(page);
      await keysHold(page, view);
    }
  });
});

test("every view signs out after half an hour without activity, and is there after the sign-in", async () => {
  for (const view of VIEWS) {
    await withPage({}, async (page) => {
      await page.clock.install();
      await signIn(page, "admin", `#/${view}`);
      await settled(page);
      // What a view asks for by itself is no activity.
      await page.clock.fastForward("29:00");
      assert.ok(await page.getByRole("button", { name: "Sign out" }).isVisible(), view);
      await page.clock.fastForward("02:00");
      await page.getByLabel("Password").waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.length), 0, view);
      assert.ok(page.url().endsWith(`#/${view}`), view);
    });
  }
});

test("the overview names a setting that is wrong, and why", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.set({ accounts: [], format: "<script>fax</script>" });
    await withPage({}, async (page) => {
      await signIn(page, "admin");
      await eventually("the problem", async () => {
        await page.getByRole("button", { name: "Refresh" }).click();
        await settled(page);
        const shown = page.getByText(`endpoints/${endpoint.name}/settings`);
        return (await shown.count()) > 0 || undefined;
      });
      const need = page.getByRole("listitem").filter({ hasText: endpoint.name }).first();
      assert.match((await need.textContent()) ?? "", /format/);
      assert.ok(!(await page.locator("main").textContent())?.includes("fax"));
    });
  });
});

test("the overview has plots of each range, and what became of an account's messages", async () => {
  const orderId = await createOrder();
  await report(orderId, "assigned");
  await deliveryOf(orderId, "demo-standard", "delivered");
  await withPage({}, async (page) => {
    await signIn(page, "admin");
    for (const range of ["24h", "7d", "30d"]) {
      await page.getByRole("link", { name: range, exact: true }).click();
      await settled(page);
      for (const name of ["Requests", "Answers within", "Unmatched events", "Gap rate of sync"]) {
        await page.getByRole("heading", { name }).first().waitFor();
      }
    }
    await page.getByText("Choose an account to see what became").waitFor();
    await page.getByLabel("Account", { exact: true }).last().fill(ACCOUNT);
    await page.keyboard.press("Enter");
    await page
      .getByText(/of sent|No message in/)
      .first()
      .waitFor();
    assert.match(page.url(), /account_code=STORE001/);
  });
});

test("the live view shows what comes in and goes out, and waits while somebody is at the list", async () => {
  await withPage({}, async (page) => {
    await signIn(page, "admin", `#/live?account_code=${ACCOUNT}`);
    const orderId = await createOrder();
    await report(orderId, "assigned");
    const feed = page.locator(".feed");
    await page.mouse.move(0, 0);
    await feed.getByRole("link", { name: orderId }).first().waitFor();
    await feed.locator("li").first().hover();
    const other = await createOrder();
    await report(other, "assigned");
    await page.getByRole("button", { name: /new row/ }).waitFor();
    assert.equal(await feed.getByRole("link", { name: other }).count(), 0);
    await page.getByRole("button", { name: /new row/ }).click();
    await feed.getByRole("link", { name: other }).first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused: nothing is asked for.").waitFor();
  });
});

test("changes of an account come by a socket, and the view says so", async () => {
  await withPage({}, async (page) => {
    await signIn(page, "admin", `#/live?account_code=${ACCOUNT}`);
    await page.mouse.move(0, 0);
    await page.getByText("come by a socket").waitFor();
    // Asking brings no news.
    await page.route("**/api/webhooks/logs*", (route) => route.abort());
    const orderId = await createOrder();
    await report(orderId, "assigned");
    await page.locator(".feed li").filter({ hasText: orderId }).getByText("pushed").waitFor();
    await visit(page, "#/live");
    await page.getByText("One account alone has a socket").waitFor();
  });
});
