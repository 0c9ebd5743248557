// Everybody can use the console: axe finds nothing on any view, it fits narrow screens, and keys are
// enough.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page } from "playwright-core";

import { axe, fits } from "./access.ts";
import { settled, signIn, useBrowser, visit, withPage } from "./browser.ts";
import {
  ACCOUNT,
  createOrder,
  deliveryOf,
  eventually,
  report,
  stack,
  unique,
  userNamed,
  withEndpoint,
} from "./stack.ts";

useBrowser();

const VIEWS = [
  "overview",
  `overview?range=30d&account_code=${ACCOUNT}`,
  "live",
  "deliveries",
  "deliveries?state=superseded&reason=gone",
  "inbound",
  "endpoints?open=demo-standard",
  "queues",
  "denied",
  "sync",
  "stale",
  `stale?account_code=${ACCOUNT}`,
  `inbound?order_id=nowhere&account_code=${ACCOUNT}`,
  `messages?account_code=${ACCOUNT}`,
  "messages",
  "jobs",
  "audit",
];

test("axe finds nothing on any view, light and dark, and none is too wide", async () => {
  const orderId = await createOrder({ awb: unique("19") });
  await report(orderId, "assigned");
  const { id } = await deliveryOf(orderId, "demo-standard", "delivered");
  const order = `order?id=${orderId}&account_code=${ACCOUNT}`;
  const all = [...VIEWS, `deliveries?open=${id}`, order, `${order}&open=${id}`];
  for (const colorScheme of ["light", "dark"] as const) {
    await withPage({ colorScheme }, async (page) => {
      await signIn(page, "admin");
      for (const view of all) {
        await visit(page, `#/${view}`);
        await settled(page);
        await axe(page, `${view}, ${colorScheme}`);
        await fits(page, view);
      }
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Password").waitFor();
      await axe(page, `sign-in, ${colorScheme}`);
      await fits(page, "sign-in");
    });
  }
});

test("axe finds nothing in an open event, a question, the help and search results", async () => {
  await withPage({}, async (page) => {
    await signIn(page, "admin", `#/inbound?account_code=${ACCOUNT}`);
    await settled(page);
    await page.getByRole("row").nth(1).getByRole("link").click();
    await page.getByRole("button", { name: /^Show/ }).click();
    await axe(page, "event");
    await page.getByRole("button", { name: "Retry…" }).click();
    await page.getByRole("dialog").waitFor();
    await axe(page, "question");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keys" }).waitFor();
    await axe(page, "help");
    await page.getByRole("searchbox").fill("no-such-thing");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing found.").waitFor();
    await axe(page, "search results");
  });
});

test("axe finds nothing in a secret that was just made, and keys alone make it", async () => {
  await withEndpoint({}, async (endpoint) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await withPage({ colorScheme }, async (page) => {
        await signIn(page, "admin", `#/endpoints?open=${endpoint.name}`);
        await page.getByRole("button", { name: "Rotate…" }).waitFor();
        const step = colorScheme === "light" ? "Rotate…" : "Replace the new one…";
        await page.getByRole("button", { name: step }).focus();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.getByText("It is not shown again.").waitFor();
        assert.match((await focused(page)) ?? "", /^whsec_/);
        await axe(page, `secret, ${colorScheme}`);
        await fits(page, "secret");
      });
    }
  });
});

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim());

test("keys alone find a dead delivery, replay it and close it", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.answers({ status: 400 });
    const orderId = await createOrder();
    await report(orderId, "assigned");
    await deliveryOf(orderId, endpoint.name, "dead");
    await withPage({}, async (page) => {
      const { keyboard } = page;
      await page.goto(`${process.env.CONSOLE_URL ?? `${stack.api_url}/console`}#/deliveries`);
      await page.getByLabel("Password").waitFor();
      const { name, password } = userNamed("admin");
      await keyboard.type(name);
      await keyboard.press("Tab");
      await keyboard.type(password);
      await keyboard.press("Enter");
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      await keyboard.press("/");
      await keyboard.type(orderId);
      await keyboard.press("Tab");
      await keyboard.type(ACCOUNT);
      await keyboard.press("Enter");
      await page.getByRole("heading", { name: `Order ${orderId}` }).waitFor();
      const row = page.getByRole("row").filter({ hasText: endpoint.name });
      await row.waitFor();
      await keyboard.press("Escape");
      // Down to the dead one.
      await eventually("the row", async () => {
        await keyboard.press("j");
        return (await row.getByRole("link").evaluate((it) => it.matches(":focus"))) || undefined;
      });
      await keyboard.press("Enter");
      await page.getByText("The receiver refused it").waitFor();
      assert.equal(await focused(page), "Delivery");
      await keyboard.press("r");
      await page.getByRole("dialog").waitFor();
      await keyboard.press("Tab");
      await keyboard.press("Enter");
      await page.getByText("The replay is queued").waitFor();
      await keyboard.press("Escape");
      await page.getByRole("complementary").waitFor({ state: "detached" });
      assert.ok(await row.getByRole("link").evaluate((it) => it.matches(":focus")));
    });
    await deliveryOf(orderId, endpoint.name, "delivered");
  });
});
