// Base of the elements: rendered into the page itself, so that one style sheet and one set of ids
// serve all of them.

import { LitElement, type PropertyValues } from "lit";

import type { Route } from "./route.ts";

export abstract class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

export abstract class View extends LightElement {
  static override properties = { route: { attribute: false } };

  declare route: Route;

  protected value(name: string): string {
    return this.route.query.get(name) ?? "";
  }
}

/** A view's panel about what is open. It takes the focus when it opens, and gives it back. */
export abstract class PanelView extends View {
  protected override updated(change: PropertyValues): void {
    const before = change.get("route") as Route | undefined;
    const isOther = change.has("route") && before?.query.get("open") !== this.value("open");
    if (isOther) this.querySelector<HTMLElement>("#panel-title")?.focus();
  }
}

/** The row that was open, once its panel has closed. */
export function focusRow(view: View, change: PropertyValues): void {
  const was = (change.get("route") as Route | undefined)?.query.get("open");
  if (!was || view.route.query.get("open")) return;
  const rows = [...view.querySelectorAll<HTMLAnchorElement>("a.row")];
  const query = (row: HTMLAnchorElement) => new URLSearchParams(row.hash.split("?")[1]);
  rows.find((row) => query(row).get("open") === was)?.focus();
}
