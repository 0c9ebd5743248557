// `<order-tracker>` in the pages of shops.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page } from "playwright-core";

import { axe, fits } from "./access.ts";
import { useBrowser, withPage } from "./browser.ts";
import { Parcel, Shop } from "./shopper.ts";
import { ACCOUNT, stack } from "./stack.ts";

useBrowser();

const shop = Shop.forTests(true);
const stranger = Shop.forTests(false);

const DEADLINE = { timeout: 3000 };
const SCRIPT = `${stack.api_url}/assets/order-tracker.js`;

async function element(parcel: Parcel, attributes = ""): Promise<string> {
  const order = parcel.orderId.replaceAll('"', "&quot;");
  const named = `account="${ACCOUNT}" order="${order}" token="${await parcel.token()}"`;
  return `<order-tracker ${named} ${attributes}><a href="#">Track your order</a></order-tracker>`;
}

const within = (content: string, style = "") =>
  `<script async src="${SCRIPT}"></script>${style}</head><body><main><h1>Thank you</h1>${content}</main>`;

const headline = (page: Page, text: string) => page.getByRole("heading", { level: 2, name: text });

test("shows an order in a page of another site, and its changes", async () => {
  const parcel = await Parcel.create();
  shop.serves(within(await element(parcel)));
  await withPage({}, async (page) => {
    await page.goto(shop.origin);
    await headline(page, "Order received").waitFor();
    assert.equal(await page.getByText("Track your order").isVisible(), false);
    await page.locator(".connection", { hasText: "Live" }).waitFor();
    await parcel.report(17, 9);
    await headline(page, "Out for delivery").waitFor(DEADLINE);
    await page.locator(".timeline", { hasText: "Mumbai" }).waitFor();
    await page.context().setOffline(true);
    await page.locator(".connection", { hasText: "Offline" }).waitFor();
    await parcel.reported(7, 11);
    await headline(page, "Out for delivery").waitFor();
    await page.context().setOffline(false);
    await headline(page, "Delivered").waitFor();
    assert.equal(await page.title(), "Shop");
  });
});

test("a site that is not the shop's shows its own words only", async () => {
  const parcel = await Parcel.create();
  stranger.serves(within(await element(parcel)));
  await withPage({}, async (page) => {
    const refused = page.waitForEvent("requestfailed", (it) => it.url().includes("/track/"));
    await page.goto(stranger.origin);
    await refused;
    await page.getByText("Track your order").waitFor();
    assert.equal(await headline(page, "Order received").count(), 0);
    const answers = await page.evaluate(async (url) => {
      const ticket = `${url}/api/realtime/ticket`;
      const post = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
      return (await Promise.allSettled([fetch(ticket, post)])).map(({ status }) => status);
    }, stack.api_url);
    assert.deepEqual(answers, ["rejected"]);
  });
});

test("compact has no history, follows its attributes, and the page's language", async () => {
  const [parcel, other] = [await Parcel.create(), await Parcel.create()];
  await parcel.reported(18, 9);
  await other.reported(17, 9);
  shop.serves(within(`<div lang="hi-IN">${await element(parcel, "compact")}</div>`));
  await withPage({}, async (page) => {
    await page.goto(shop.origin);
    await headline(page, "रास्ते में").waitFor();
    assert.equal(await page.locator(".timeline").count(), 0);
    assert.equal(await page.locator(".stages").count(), 1);
    const [order, token] = [other.orderId, await other.token()];
    await page.locator("order-tracker").evaluate(
      (element, [order = "", token = ""]) => {
        element.removeAttribute("compact");
        element.setAttribute("lang", "en");
        element.setAttribute("order", order);
        element.setAttribute("token", token);
      },
      [order, token],
    );
    await headline(page, "Out for delivery").waitFor();
    await page.locator(".timeline").waitFor();
  });
});

test("takes font and colours of the page, and lets it style the parts", async () => {
  const parcel = await Parcel.create();
  const style = `<style>
    body { font: 18px serif; color: rgb(40, 0, 80); }
    order-tracker { --order-tracker-accent: rgb(120, 0, 60); }
    order-tracker::part(headline) { letter-spacing: 3px; }
    order-tracker::part(bar) { max-width: 300px; }
  </style>`;
  shop.serves(within(await element(parcel), style));
  await withPage({}, async (page) => {
    await page.goto(shop.origin);
    await headline(page, "Order received").waitFor();
    const styled = (selector: string, property: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((it, name) => getComputedStyle(it).getPropertyValue(name), property);
    assert.equal(await styled(".title", "font-family"), "serif");
    assert.equal(await styled(".title", "color"), "rgb(40, 0, 80)");
    assert.equal(await styled(".title", "letter-spacing"), "3px");
    assert.equal(await styled(".stages", "max-width"), "300px");
    assert.equal(await styled(".title .icon", "color"), "rgb(120, 0, 60)");
  });
});

test("works under a strict policy of the shop's page", async () => {
  const parcel = await Parcel.create();
  const { origin } = new URL(stack.api_url);
  const sockets = origin.replace("http", "ws");
  const policy = `default-src 'none'; script-src ${origin}; connect-src ${origin} ${sockets}`;
  shop.serves(within(await element(parcel)), { "content-security-policy": policy });
  await withPage({}, async (page) => {
    await page.goto(shop.origin);
    await page.locator(".connection", { hasText: "Live" }).waitFor();
  });
});

test("an answer that is not ours cannot run, restyle or lead away", async () => {
  const parcel = await Parcel.create();
  shop.serves(within(await element(parcel)));
  await withPage({}, async (page) => {
    const body = `<div class="tracker" data-version="1" onclick="alert(1)" style="position:fixed">
      <div class="top"><h2 class="title">Evil</h2></div><script>document.title = "run"</script>
      <img src="x" onerror="alert(1)"><iframe src="about:blank"></iframe><style>* { color: red }</style>
      <a href="javascript:alert(1)">one</a><a href="http://evil.example">two</a>
      <svg><script>document.title = "run"</script><use href="#x"/></svg><form><input></form></div>`;
    const headers = { "access-control-allow-origin": shop.origin, "content-type": "text/html" };
    await page.route("**/track/**", (route) => route.fulfill({ body, headers }));
    await page.goto(shop.origin);
    await headline(page, "Evil").waitFor();
    const found = await page.locator("order-tracker").evaluate((it) => {
      const all = [...(it.shadowRoot?.querySelectorAll("*") ?? [])];
      const names = all.map(({ localName }) => localName).sort();
      return { names, attributes: all.flatMap((one) => one.getAttributeNames()) };
    });
    assert.deepEqual(found.names, ["a", "a", "div", "div", "h2", "svg"]);
    const isKnown = (name: string) => ["class", "data-version"].includes(name);
    assert.deepEqual(
      found.attributes.filter((name) => !isKnown(name)),
      [],
    );
    assert.equal(await page.title(), "Shop");
  });
});

test("axe finds nothing, light and dark, and nothing is too wide", async () => {
  const parcel = await Parcel.create();
  await parcel.reported(18, 8);
  await parcel.reported(21, 9);
  const style = `<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
    <style>body { font: 16px sans-serif; background: Canvas; color: CanvasText }</style>`;
  const two = `${await element(parcel)}${await element(parcel, "compact")}`;
  shop.serves(within(two, style));
  for (const colorScheme of ["light", "dark"] as const) {
    await withPage({ colorScheme }, async (page) => {
      await page.goto(shop.origin);
      await page.locator(".connection", { hasText: "Live" }).nth(1).waitFor();
      await axe(page, colorScheme);
      await fits(page, "the element");
    });
  }
});
