// What operators do with the console.

import assert from "node:assert/strict";
import { test } from "node:test";

import { settled, signIn, useBrowser, visit, withPage } from "./browser.ts";
import {
  ACCOUNT,
  createOrder,
  deliveryOf,
  eventually,
  forgetFailedSignIns,
  report,
  userNamed,
  withEndpoint,
} from "./stack.ts";

useBrowser();

test("signs in, keeps the view after the end of the session, and stores no password", async () => {
  await withPage({}, async (page) => {
    await signIn(page, "admin", "#/deliveries?state=dead");
    await page.getByRole("heading", { name: "Deliveries" }).waitFor();
    const stored = await page.evaluate(() =>
      JSON.stringify({ ...sessionStorage, ...localStorage }),
    );
    assert.ok(!stored.includes(userNamed("admin").password));
    assert.equal(await page.evaluate(() => document.cookie), "");
    await page.reload();
    await page.getByRole("heading", { name: "Deliveries" }).waitFor();
    // The server refuses the token: it ended there.
    await page.route("**/api/deliveries*", (route) => route.fulfill({ status: 401, body: "{}" }));
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByLabel("Password").waitFor();
    assert.match(page.url(), /#\/deliveries\?state=dead$/);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});

test("says that a password is wrong", async () => {
  await forgetFailedSignIns();
  await withPage({}, async (page) => {
    await signIn(page, "admin");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Name").fill(userNamed("admin").name);
    await page.getByLabel("Password").fill("a-password-that-is-not-the-right-one");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "Wrong name or password" }).waitFor();
  });
});

test("signs out after half an hour without activity", async () => {
  await withPage({}, async (page) => {
    await page.clock.install();
    await signIn(page, "admin", "#/deliveries");
    await page.clock.fastForward("31:00");
    await page.getByLabel("Password").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});

test("renews the session of a person who works", async () => {
  await withPage({}, async (page) => {
    await page.clock.install();
    await signIn(page, "admin", "#/deliveries");
    await page.clock.fastForward("15:00");
    const renewed = page.waitForResponse("**/api/session");
    await page.keyboard.press("j");
    assert.equal((await renewed).status(), 200);
    await page.getByRole("heading", { name: "Deliveries" }).waitFor();
  });
});

test("new rows announce themselves, and come when asked", async () => {
  await withEndpoint({}, async (endpoint) => {
    await withPage({}, async (page) => {
      await page.clock.install();
      await signIn(page, "admin", `#/deliveries?endpoint=${endpoint.name}`);
      await page.getByText("No delivery of the last 30 days matches").waitFor();
      const orderId = await createOrder();
      await report(orderId, "assigned");
      await deliveryOf(orderId, endpoint.name, "delivered");
      await page.clock.fastForward("00:21");
      const news = page.getByRole("button", { name: "1 new row" });
      await news.waitFor();
      assert.equal(await page.getByRole("row").count(), 0);
      await news.click();
      await page.getByRole("cell", { name: orderId }).waitFor();
    });
  });
});

test("a dead delivery is found from its order in three clicks, replayed, and delivered", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.answers({ status: 400, body: "unknown field" });
    const orderId = await createOrder();
    await report(orderId, "assigned");
    const { id } = await deliveryOf(orderId, endpoint.name, "dead");
    await withPage({}, async (page) => {
      await signIn(page, "admin");
      await page.getByRole("searchbox").fill(orderId);
      await page.getByPlaceholder("Account").fill(ACCOUNT);
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("heading", { name: `Order ${orderId}` }).waitFor();
      const row = page.getByRole("row").filter({ hasText: endpoint.name });
      await row.getByRole("link").click();
      const panel = page.getByRole("complementary", { name: "Delivery" });
      await panel.getByText("The receiver refused it").waitFor();
      await panel.getByText("Answer", { exact: true }).click();
      await panel.getByText("unknown field").waitFor();
      await panel.getByRole("button", { name: "Replay…" }).click();
      await page.getByRole("button", { name: "Replay 1" }).click();
      await page.getByText("The replay is queued").waitFor();
      await deliveryOf(orderId, endpoint.name, "delivered");
      await panel.getByRole("button", { name: "Refresh" }).click();
      await panel.getByText("The receiver took it.").first().waitFor();
      assert.match(page.url(), new RegExp(`open=${id}`));
    });
  });
});

test("replays all like one: counts, asks, and shows the job, also after a reload", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.answers({ status: 400 }, { status: 400 });
    const orders = [await createOrder(), await createOrder()];
    for (const order of orders) await report(order, "assigned");
    for (const order of orders) await deliveryOf(order, endpoint.name, "dead");
    await withPage({}, async (page) => {
      await signIn(page, "admin", `#/deliveries?state=dead&endpoint=${endpoint.name}`);
      await page
        .getByRole("row")
        .filter({ hasText: endpoint.name })
        .first()
        .getByRole("link")
        .click();
      await page.getByRole("button", { name: "Replay all like this…" }).click();
      await page.getByRole("heading", { name: "Begin 2 again?" }).waitFor();
      await page.getByRole("button", { name: "Begin 2 again" }).click();
      const job = page.getByRole("region", { name: "Job" });
      await job.getByText(endpoint.name).waitFor();
      await page.reload();
      await job.getByText(endpoint.name).waitFor();
      await job.getByRole("button", { name: "Stop…" }).click();
      await page.getByRole("button", { name: "Stop it" }).click();
      await job.getByText(/stopped|finished/).waitFor();
    });
  });
});

test("a failed event is found, its cause fixed, and a retry applies it", async () => {
  await withEndpoint({ format: "fax" }, async (endpoint) => {
    const orderId = await createOrder();
    await report(orderId, "assigned");
    await withPage({}, async (page) => {
      await signIn(page, "admin", `#/inbound?status=failed&source=api&account_code=${ACCOUNT}`);
      await settled(page);
      const row = page.getByRole("row").filter({ hasText: endpoint.name });
      await eventually("the failed event", async () => {
        await page.getByRole("button", { name: "Refresh" }).first().click();
        await settled(page);
        return (await row.count()) > 0 || undefined;
      });
      await row.first().getByRole("link").click();
      const panel = page.getByRole("complementary", { name: "Inbound event" });
      await panel.getByRole("button", { name: /^Show/ }).click();
      await panel.getByText("assigned").waitFor();
      await endpoint.set({});
      await endpoint.answers({ status: 200 });
      await panel.getByRole("button", { name: "Retry…" }).click();
      await page.getByRole("button", { name: "Retry 1" }).click();
      await page.getByText(/Processed again: processed|applied before/).waitFor();
    });
    await deliveryOf(orderId, endpoint.name, "delivered");
  });
});

test("an endpoint is tested, paused and enabled", async () => {
  await withEndpoint({}, async (endpoint) => {
    await withPage({}, async (page) => {
      await signIn(page, "admin", `#/endpoints?open=${endpoint.name}`);
      const panel = page.getByRole("complementary", { name: "Endpoint" });
      await endpoint.answers({ status: 404 });
      await panel.getByRole("button", { name: "Test…" }).click();
      await page.getByRole("button", { name: "Send 1 test" }).click();
      await panel.getByText("not found", { exact: true }).waitFor();
      await panel.getByRole("button", { name: "Pause…" }).click();
      await page.getByRole("button", { name: "Pause 1" }).click();
      await panel.getByText("An admin paused it").waitFor();
      await panel.getByRole("button", { name: "Enable…" }).click();
      await page.getByRole("button", { name: "Enable 1" }).click();
      await panel.getByRole("button", { name: "Pause…" }).waitFor();
    });
  });
});

test("an endpoint's secret is rotated: shown once, and finished", async () => {
  await withEndpoint({}, async (endpoint) => {
    await withPage({}, async (page) => {
      await signIn(page, "admin", `#/endpoints?open=${endpoint.name}`);
      const panel = page.getByRole("complementary", { name: "Endpoint" });
      await panel.getByRole("button", { name: "Rotate…" }).click();
      await page.getByRole("button", { name: "Make 1 secret" }).click();
      const shown = panel.locator(".secret");
      const secret = (await shown.textContent()) ?? "";
      assert.match(secret, /^whsec_/);
      const stored = () =>
        page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
      assert.ok(!(await stored()).includes("whsec_") && !page.url().includes("whsec_"));
      await panel.getByRole("button", { name: "Rotate…" }).click();
      await page.getByRole("button", { name: "Make 1 secret" }).click();
      await page.getByText("a rotation has begun").waitFor();
      await page.reload();
      await panel.getByRole("button", { name: "Finish…" }).waitFor();
      assert.equal(await shown.count(), 0);
      await panel.getByRole("button", { name: "Finish…" }).click();
      await page.getByRole("button", { name: "Drop 1 secret" }).click();
      await page.getByText("The new secret signs alone.").waitFor();
      await visit(page, "#/audit");
      const entries = page.getByRole("row").filter({ hasText: endpoint.name });
      await entries.filter({ hasText: "finish" }).waitFor();
      assert.ok(!(await page.locator("body").textContent())?.includes(secret));
    });
  });
});

test("a viewer sees deliveries but can act on nothing", async () => {
  await withEndpoint({}, async (endpoint) => {
    await endpoint.answers({ status: 400 });
    const orderId = await createOrder();
    await report(orderId, "assigned");
    const { id } = await deliveryOf(orderId, endpoint.name, "dead");
    await withPage({}, async (page) => {
      await signIn(page, "viewer", `#/deliveries?open=${id}`);
      await page
        .getByRole("complementary", { name: "Delivery" })
        .getByText("400", { exact: true })
        .waitFor();
      for (const name of ["Replay", "Retry", "Pause", "Test", "Rotate"]) {
        assert.equal(await page.getByRole("button", { name }).count(), 0, name);
      }
      const views = await page.getByRole("navigation").getByRole("link").allTextContents();
      assert.deepEqual(views, ["Overview", "Live", "Deliveries", "Inbound", "Denied"]);
      await visit(page, "#/audit");
      await page.getByRole("heading", { name: "Overview" }).waitFor();
    });
  });
});
