// The views, and which element shows each.

import { html, type TemplateResult } from "lit";

import type { Route } from "./route.ts";
import { isAdmin, session } from "./session.ts";
import "./views/deliveries.ts";
import "./views/endpoints.ts";
import "./views/inbound.ts";
import "./views/lists.ts";
import "./views/live.ts";
import "./views/messages.ts";
import "./views/order.ts";
import "./views/overview.ts";
import "./views/queues.ts";
import "./views/stale.ts";

interface ViewEntry {
  name: string;
  title: string;
  allowed: () => boolean;
  show: (route: Route) => TemplateResult;
}

const reader = () => session()?.role === "admin" || session()?.role === "viewer";
const writer = () => session()?.role === "admin" || session()?.role === "partner";
const ofAll = () => isAdmin() && session()?.accounts.includes("*") === true;

export const VIEWS: ViewEntry[] = [
  {
    name: "overview",
    title: "Overview",
    allowed: reader,
    show: (route) => html`<waypost-overview .route=${route}></waypost-overview>`,
  },
  {
    name: "live",
    title: "Live",
    allowed: reader,
    show: (route) => html`<waypost-live .route=${route}></waypost-live>`,
  },
  {
    name: "deliveries",
    title: "Deliveries",
    allowed: reader,
    show: (route) => html`<waypost-deliveries .route=${route}></waypost-deliveries>`,
  },
  {
    name: "inbound",
    title: "Inbound",
    allowed: reader,
    show: (route) => html`<waypost-inbound .route=${route}></waypost-inbound>`,
  },
  {
    name: "endpoints",
    title: "Endpoints",
    allowed: isAdmin,
    show: (route) => html`<waypost-endpoints .route=${route}></waypost-endpoints>`,
  },
  {
    name: "queues",
    title: "Queues",
    allowed: ofAll,
    show: (route) => html`<waypost-queues .route=${route}></waypost-queues>`,
  },
  {
    name: "denied",
    title: "Denied",
    allowed: reader,
    show: (route) => html`<waypost-denied .route=${route}></waypost-denied>`,
  },
  {
    name: "sync",
    title: "Sync",
    allowed: isAdmin,
    show: (route) => html`<waypost-sync .route=${route}></waypost-sync>`,
  },
  {
    name: "messages",
    title: "Messages",
    allowed: writer,
    show: (route) => html`<waypost-messages .route=${route}></waypost-messages>`,
  },
  {
    name: "jobs",
    title: "Jobs",
    allowed: isAdmin,
    show: (route) => html`<waypost-jobs .route=${route}></waypost-jobs>`,
  },
  {
    name: "audit",
    title: "Audit",
    allowed: isAdmin,
    show: (route) => html`<waypost-audit .route=${route}></waypost-audit>`,
  },
];

/** Views without a place in the navigation. */
const HIDDEN: ViewEntry[] = [
  {
    name: "stale",
    title: "Stale orders",
    allowed: isAdmin,
    show: (route) => html`<waypost-stale .route=${route}></waypost-stale>`,
  },
  {
    name: "order",
    title: "Order",
    allowed: () => true,
    show: (route) => html`<waypost-order .route=${route}></waypost-order>`,
  },
];

export function viewOf(route: Route): TemplateResult {
  const all = [...VIEWS, ...HIDDEN].filter(({ allowed }) => allowed());
  const found = all.find(({ name }) => name === route.view) ?? all[0];
  return found ? found.show(route) : html`<p class="empty">Your role has no views here yet.</p>`;
}
