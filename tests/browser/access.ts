// Findings of axe, and elements that are too wide.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function axe(page: Page, where: string): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<AxeResults> } };
    return axe.run();
  });
  const problems = found.violations.map(({ id, nodes }) => ({
    id,
    where: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
  }));
  assert.deepEqual(problems, [], where);
}

/** At this width of the window nothing has to be scrolled sideways. */
export async function fits(page: Page, where: string, width = 320): Promise<void> {
  await page.setViewportSize({ width, height: 640 });
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(excess <= 0, `${where} is ${excess} px too wide`);
  await page.setViewportSize({ width: 1280, height: 800 });
}
