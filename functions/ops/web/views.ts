// The views, and which element shows each.

import { html, type TemplateResult } from "lit";

import type { Route } from "./route.ts";
import { session } from "./session.ts";
import "./views/deliveries.ts";

interface ViewEntry {
  name: string;
  title: string;
  allowed: () => boolean;
  show: (route: Route) => TemplateResult;
}

const reader = () => session()?.role === "admin" || session()?.role === "viewer";

export const VIEWS: ViewEntry[] = [
  {
    name: "deliveries",
    title: "Deliveries",
    allowed: reader,
    show: (route) => html`<waypost-deliveries .route=${route}></waypost-deliveries>`,
  },
];

/** Views without a place in the navigation. */
const HIDDEN: ViewEntry[] = [];

export function viewOf(route: Route): TemplateResult {
  const all = [...VIEWS, ...HIDDEN].filter(({ allowed }) => allowed());
  const found = all.find(({ name }) => name === route.view) ?? all[0];
  return found ? found.show(route) : html`<p class="empty">Your role has no views here yet.</p>`;
}
