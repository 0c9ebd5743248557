// An order's story: what was reported, which receivers were told, and what was said to the shopper,
// side by side in time.

import { html, nothing, type TemplateResult } from "lit";

import { time, words } from "../format.ts";
import { mark } from "../mark.ts";
import { changed, type Route } from "../route.ts";
import type { Delivery, Message, TimelineEntry } from "../types.ts";
import { outcome } from "./deliveries.ts";

export interface Story {
  route: Route;
  timeline: TimelineEntry[];
  /** Null for those who may not see them. */
  deliveries: Delivery[] | null;
  messages: Message[];
}

type Lane = "reported" | "told" | "said";

interface Moment {
  at: string;
  /** Of the order, after it. */
  version: number | null;
  cells: Partial<Record<Lane, TemplateResult[]>>;
}

const LANES: [Lane, string][] = [
  ["reported", "Reported"],
  ["told", "Receivers told"],
  ["said", "Messages"],
];

export function story(it: Story): TemplateResult {
  const moments = momentsOf(it);
  if (moments.length === 0) {
    return html`<p class="empty">Nothing was reported yet, and nobody was told.</p>`;
  }
  const lanes = LANES.filter(([lane]) => lane !== "told" || it.deliveries !== null);
  return html`<div class="story">
    <div class="lanes" aria-hidden="true">
      <span>Time</span>${lanes.map(([lane, title]) => html`<span class=${lane}>${title}</span>`)}
    </div>
    <ol>
      ${moments.map(
        ({ at, cells }) => html`<li>
          <div>${time(at)}</div>
          ${lanes.map(([lane, title]) => cellOf(lane, title, cells[lane]))}
        </li>`,
      )}
    </ol>
  </div>`;
}

function cellOf(lane: Lane, title: string, content: TemplateResult[] | undefined): unknown {
  if (!content) return nothing;
  return html`<div class=${lane}><span class="lane">${title}</span>${content}</div>`;
}

/** A delivery stands beside the change that it tells of. */
function momentsOf({ route, timeline, deliveries, messages }: Story): Moment[] {
  const moments = timeline.map(ofEntry);
  for (const it of deliveries ?? []) {
    const cell = told(route, it);
    const cause = moments.find(({ version }) => version !== null && version === it.version);
    if (cause) cause.cells.told = [...(cause.cells.told ?? []), cell];
    else moments.push({ at: it.created_at, version: null, cells: { told: [cell] } });
  }
  for (const it of messages) {
    moments.push({ at: it.sent_at, version: null, cells: { said: [sent(it)] } });
  }
  return moments.sort((one, other) => other.at.localeCompare(one.at));
}

function ofEntry(it: TimelineEntry): Moment {
  const cells = it.answer ? { said: [answered(it.answer)] } : { reported: [reported(it)] };
  return { at: it.occurredAt, version: it.version, cells };
}

function reported(it: TimelineEntry): TemplateResult {
  const parts = [it.source, it.location, it.awb && `parcel ${it.awb}`, it.note, effect(it)];
  const isWords = it.sourceStatus && it.sourceStatus !== it.status;
  return html`<p>
      ${it.status ? mark(it.status) : nothing} ${it.status && !isWords ? nothing : it.sourceStatus}
    </p>
    <p class="muted">${parts.filter((part) => part).join(" · ")}</p>
    <p class="muted">received ${time(it.receivedAt)}</p>`;
}

function effect(it: TimelineEntry): string {
  const made = it.version === null ? "no change" : `version ${it.version}`;
  const reason = it.reason ? `not applied: ${words(it.reason)}` : made;
  return it.late ? `${reason}, late` : reason;
}

function told(route: Route, it: Delivery): TemplateResult {
  return html`<p>
    ${mark(it.state)} <a href=${changed(route, { open: it.id })}>${it.endpoint}</a>
    <span class="muted">${outcome(it)}</span>
  </p>`;
}

function sent(it: Message): TemplateResult {
  const name = it.template ?? it.channel ?? "a message";
  const error = it.error?.title ?? it.error?.code;
  return html`<p>${mark(it.message_status)} ${name}</p>
    <p class="muted">
      to the shopper${it.rule ? `, by the rule of ${words(it.rule)}` : ""}${error ? `: ${error}` : ""}
    </p>
    ${it.statuses.map(({ status, at }) => html`<p class="muted">${words(status)} ${time(at)}</p>`)}`;
}

function answered({ type, text, title }: NonNullable<TimelineEntry["answer"]>): TemplateResult {
  const said = text ?? title;
  return html`<p>${mark("answered")} ${said ? `“${said}”` : nothing}</p>
    <p class="muted">from the shopper: ${type}</p>`;
}
