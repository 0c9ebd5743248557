// A state as shape and word; colour only repeats them.

import { html, svg, type TemplateResult } from "lit";

import { words } from "./format.ts";

type Tone = "good" | "bad" | "wait" | "calm";

const TONES: Record<string, Tone> = {
  delivered: "good",
  processed: "good",
  active: "good",
  finished: "good",
  read: "good",
  dead: "bad",
  failed: "bad",
  disabled: "bad",
  "invalid settings": "bad",
  "dead letters": "bad",
  overdue: "bad",
  quarantined: "bad",
  incomplete: "bad",
  undelivered: "bad",
  lost: "bad",
  retrying: "wait",
  pending: "wait",
  parked: "wait",
  paused: "wait",
  recovering: "wait",
  received: "wait",
  unmatched: "wait",
  unknown: "wait",
  running: "wait",
  working: "good",
  open: "wait",
};

const SHAPES: Record<Tone, TemplateResult> = {
  good: svg`<circle cx="6" cy="6" r="5"/><path class="cut" d="M3.4 6.2 5.3 8 8.6 4.3"/>`,
  bad: svg`<path d="M6 .8 11.4 11H.6z"/><path class="cut" d="M6 4.4v3M6 9.2v.2"/>`,
  wait: svg`<circle class="line" cx="6" cy="6" r="4.5"/><path class="line" d="M6 3.4V6l1.8 1.4"/>`,
  calm: svg`<circle class="line" cx="6" cy="6" r="4.5"/>`,
};

export function mark(state: string): TemplateResult {
  const tone = TONES[state] ?? "calm";
  return html`<span class="mark ${tone}"
    ><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">${SHAPES[tone]}</svg
    >${words(state)}</span
  >`;
}
