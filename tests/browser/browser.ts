// One Chromium for the tests of a file, and what they do in it.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

import { stack, userNamed } from "./stack.ts";

const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const CONSOLE = process.env.CONSOLE_URL ?? `${stack.api_url}/console`;
/** A busy machine takes long to answer. */
const PATIENCE_MS = 60_000;

let browser: Browser;

export function useBrowser(): void {
  before(async () => {
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    browser = await chromium.launch({ executablePath: PROGRAM, args: sandbox });
  });
  after(() => browser.close());
}

/** A page whose errors and refused resources fail the test. */
export async function withPage(
  options: BrowserContextOptions,
  test: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("dialog", (dialog) => problems.push(`a dialog: ${dialog.message()}`));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) problems.push(message.text());
  });
  try {
    await test(page);
  } catch (error) {
    console.error(`${page.url()}\n${await page.locator("body").textContent()}`);
    throw error;
  } finally {
    await context.close();
  }
  assert.deepEqual(problems, []);
}

export async function signIn(page: Page, role: string, view = ""): Promise<void> {
  const { name, password } = userNamed(role);
  await page.goto(CONSOLE + view);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Another view of a page that is signed in. */
export async function visit(page: Page, fragment: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, fragment);
}

/** Waits until no view says that it is loading. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main h1").first().waitFor();
  await page.waitForFunction(() => !document.body.textContent.includes("Loading…"));
}
