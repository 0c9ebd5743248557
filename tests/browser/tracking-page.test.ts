// The page of an order as shoppers see it, and how it changes.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page, WebSocketRoute } from "playwright-core";

import { axe, fits } from "./access.ts";
import { useBrowser, withPage } from "./browser.ts";
import { Parcel, reportMessage, tokenOf } from "./shopper.ts";
import { ACCOUNT, api, eventually, stack, unique } from "./stack.ts";

useBrowser();

const DEADLINE = { timeout: 3000 };

const MANY_SCANS = [1, 2, 3, 4, 5, 6, 7, 8].map((hour) => ({
  date: `2026-01-20 0${hour}:00:00`,
  activity: `Bag ${hour}`,
  location: "Pune",
}));

const headline = (page: Page, text: string) => page.getByRole("heading", { level: 1, name: text });

const connection = (page: Page, text: string) =>
  page.locator(".connection").filter({ hasText: text });

async function openLive(page: Page, parcel: Parcel, text = "Live"): Promise<void> {
  await page.goto(await parcel.url());
  await connection(page, text).waitFor();
}

test("a change is shown within three seconds, and disturbs nobody", async () => {
  const parcel = await Parcel.create();
  await parcel.reported(18, 8, { scans: MANY_SCANS });
  await withPage({}, async (page) => {
    await openLive(page, parcel);
    await headline(page, "On its way").waitFor();
    await page.locator("summary", { hasText: "earlier" }).click();
    await page.evaluate(() => {
      document.querySelector("main")?.setAttribute("data-same", "");
      scrollTo(0, 120);
    });
    const focused = () => page.evaluate(() => document.activeElement?.localName);
    assert.equal(await focused(), "summary");
    await parcel.report(17, 9, { scans: MANY_SCANS });
    await headline(page, "Out for delivery").waitFor(DEADLINE);
    assert.match(await page.title(), /^Out for delivery/);
    assert.equal(await page.locator("main[data-same]").count(), 1, "no reload");
    assert.equal(await page.locator("main details[open]").count(), 1);
    assert.equal(await focused(), "summary");
    assert.equal(await page.evaluate(() => scrollY), 120);
  });
});

test("the status of a message changes, too", async () => {
  const parcel = await Parcel.create();
  const message = unique("wamid.");
  await api("POST", "/api/orders/message-tracking", {
    order_id: parcel.orderId,
    account_code: ACCOUNT,
    message_id: message,
    message_status: "sent",
  });
  await withPage({}, async (page) => {
    await openLive(page, parcel);
    await page.locator(".tick", { hasText: "Sent" }).waitFor();
    await reportMessage(message, "read");
    await page.locator(".tick", { hasText: "Read" }).waitFor();
  });
});

test("a page that was offline keeps what it showed, says so, and catches up", async () => {
  const parcel = await Parcel.create();
  await withPage({}, async (page) => {
    await openLive(page, parcel);
    await page.context().setOffline(true);
    await connection(page, "Offline").waitFor();
    await parcel.reported(18, 9);
    await headline(page, "Order received").waitFor();
    await page.context().setOffline(false);
    await headline(page, "On its way").waitFor();
    await connection(page, "Live").waitFor();
    await parcel.report(17, 10);
    await headline(page, "Out for delivery").waitFor(DEADLINE);
  });
});

test("a socket that breaks is opened again, and what was missed is shown", async () => {
  const parcel = await Parcel.create();
  await withPage({}, async (page) => {
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/\?ticket=/, (socket) => {
      sockets.push(socket);
      socket.connectToServer();
    });
    await openLive(page, parcel);
    let isDown = true;
    await page.route("**/api/realtime/ticket", (route) =>
      isDown ? route.fulfill({ status: 503, body: "{}" }) : route.continue(),
    );
    await sockets[0]?.close({ code: 1001 });
    await connection(page, "Reconnecting").waitFor();
    await parcel.reported(18, 9);
    isDown = false;
    await headline(page, "On its way").waitFor();
    await connection(page, "Live").waitFor();
    assert.equal(sockets.length, 2);
  });
});

test("without live updates the page asks again, and claims nothing", async () => {
  const parcel = await Parcel.create();
  await withPage({}, async (page) => {
    await page.clock.install();
    await page.route("**/api/realtime/ticket", (route) =>
      route.fulfill({ status: 404, body: "{}" }),
    );
    const asked = page.waitForResponse("**/api/realtime/ticket");
    await page.goto(await parcel.url());
    await asked;
    await parcel.reported(18, 9);
    await headline(page, "Order received").waitFor();
    await page.clock.fastForward("01:01");
    await headline(page, "On its way").waitFor();
    assert.equal(await page.locator(".connection").isVisible(), false);
  });
});

test("a link that dies says so on the open page", async () => {
  const parcel = await Parcel.create();
  await withPage({}, async (page) => {
    await openLive(page, parcel);
    const [url, path] = [await parcel.url(), `/api/external/orders/${parcel.orderId}`];
    await page.context().setOffline(true);
    await api("DELETE", `${path}?accountCode=${ACCOUNT}`);
    await eventually("the order's end", async () =>
      (await fetch(url)).status === 404 ? true : undefined,
    );
    await page.context().setOffline(false);
    await headline(page, "This link does not work").waitFor();
    assert.equal(await page.locator(".connection").isVisible(), false);
  });
});

test("the page is complete without JavaScript", async () => {
  const parcel = await Parcel.create();
  await parcel.reported(17, 9);
  await withPage({ javaScriptEnabled: false }, async (page) => {
    await page.goto(await parcel.url());
    await headline(page, "Out for delivery").waitFor();
    for (const shown of [
      "Delhivery",
      parcel.awb,
      "Mumbai",
      "Asha",
      "2 items",
      "Contact the shop",
    ]) {
      await page.getByText(shown).first().waitFor();
    }
    assert.equal(await page.locator(".connection").isVisible(), false);
    await page.locator("summary", { hasText: "English" }).click();
    await page.getByRole("link", { name: "हिन्दी" }).click();
    await headline(page, "डिलीवरी").waitFor();
  });
});

test("the page is in Tamil, and stays so when it changes", async () => {
  const parcel = await Parcel.create();
  await withPage({ locale: "ta-IN", timezoneId: "America/New_York" }, async (page) => {
    await openLive(page, parcel, "நேரலை");
    await headline(page, "ஆர்டர் கிடைத்தது").waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "ta");
    await parcel.report(17, 9);
    await headline(page, "டெலிவரிக்குப் புறப்பட்டது").waitFor(DEADLINE);
    await page.getByText("நேரம்: America/New_York").waitFor();
    await page.locator(".entry time", { hasText: "22:30" }).waitFor();
    await fits(page, "the page in Tamil");
  });
});

test("an expired link says so, and an unknown order looks like another's", async () => {
  const [parcel, other] = [await Parcel.create(), await Parcel.create()];
  const page_of = (order: string, token: string) =>
    `${stack.api_url}/track/${ACCOUNT}/${order}?t=${token}`;
  await withPage({}, async (page) => {
    await page.goto(page_of(parcel.orderId, await tokenOf(parcel.orderId, 20_000)));
    await headline(page, "This link has expired").waitFor();
    await axe(page, "expired");
    const seen: string[] = [];
    for (const order of [other.orderId, unique("NOBODY-")]) {
      await page.goto(page_of(order, await parcel.token()));
      await headline(page, "This link does not work").waitFor();
      seen.push(await page.locator("body").innerHTML());
    }
    assert.equal(seen[0], seen[1]);
    await axe(page, "not found");
  });
});

test("axe finds nothing, light and dark, and nothing is too wide", async () => {
  const parcel = await Parcel.create();
  await parcel.reported(18, 8, {
    scans: [
      { date: "2026-01-20 08:00:00", activity: "Bag", location: "Thiruvananthapuram".repeat(2) },
    ],
  });
  await parcel.reported(21, 9);
  for (const colorScheme of ["light", "dark"] as const) {
    await withPage({ colorScheme }, async (page) => {
      await openLive(page, parcel);
      await axe(page, colorScheme);
      await page.locator("header summary").click();
      await axe(page, `${colorScheme}, languages`);
      await page.context().setOffline(true);
      await connection(page, "Offline").waitFor();
      await axe(page, `${colorScheme}, offline`);
      for (const width of [320, 640]) await fits(page, `at ${width} px`, width);
      // Zoom of 200 % of a page of 640 px, and of its text alone.
      await page.evaluate(() => {
        document.documentElement.style.fontSize = "200%";
      });
      await fits(page, "with large text");
    });
  }
});

test("keys are enough", async () => {
  const parcel = await Parcel.create();
  await parcel.reported(18, 8, { scans: MANY_SCANS });
  await withPage({}, async (page) => {
    await openLive(page, parcel);
    const { keyboard } = page;
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await page.getByRole("link", { name: "தமிழ்" }).waitFor();
    await keyboard.press("Enter");
    await page.getByRole("link", { name: "தமிழ்" }).waitFor({ state: "hidden" });
    await keyboard.press("Tab");
    const courier = page.getByRole("link", { name: "Track at the courier" });
    assert.ok(await courier.evaluate((link) => link === document.activeElement));
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    assert.equal(await page.locator("main details[open]").count(), 1);
  });
});

test("markup in every field stays text, also in a change", async () => {
  const evil = "<script>document.title='run'</script><img src=x onerror=alert(1)>";
  const parcel = await Parcel.create({ orderId: unique("<img src=x onerror=alert(1)> ") });
  const fields = {
    courier_name: evil,
    shipment_status: "UNDELIVERED",
    undelivered_reason: evil,
    scans: [{ date: "2026-01-20 09:00:00", activity: evil, location: evil }],
  };
  await withPage({}, async (page) => {
    await openLive(page, parcel);
    await parcel.report(21, 9, fields);
    await headline(page, "Not delivered yet").waitFor();
    await page.getByText("<script>").first().waitFor();
    assert.equal(await page.locator("main img, main script, main iframe").count(), 0);
    assert.match(await page.title(), /^Not delivered yet/);
  });
});
