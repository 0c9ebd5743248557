// Keys work anywhere but in a field or a dialog. Enter and Tab are the browser's own.

import { isAsking } from "./dialog.ts";

export const KEYS: [string, string][] = [
  ["/", "search"],
  ["j, k", "next, previous row"],
  ["enter", "open the row"],
  ["esc", "close the panel"],
  ["r", "replay or retry what is open (asks first)"],
  ["?", "this help"],
];

export function watchKeys(help: () => void): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isAsking()) return;
    if (event.key === "Escape") return leave();
    if (isField(event.target)) return;
    const action = ACTIONS[event.key] ?? (event.key === "?" ? help : undefined);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

const ACTIONS: Record<string, () => void> = {
  "/": () => element("#search")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  r: () => element("[data-again]:not([disabled])")?.click(),
};

function element(selector: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(selector);
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}

function leave(): void {
  const focused = document.activeElement;
  if (isField(focused)) (focused as HTMLElement).blur();
  else element("[data-close]")?.click();
}

function move(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("a.row")];
  const at = rows.findIndex((row) => row.matches(":focus"));
  const open = rows.findIndex((row) => row.hasAttribute("aria-current"));
  const from = at >= 0 ? at : open;
  const next = from < 0 ? (step > 0 ? 0 : rows.length - 1) : from + step;
  rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
}
