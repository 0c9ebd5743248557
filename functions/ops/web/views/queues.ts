import { html, nothing, type TemplateResult } from "lit";

import { get } from "../api.ts";
import { View } from "../element.ts";
import { time, words } from "../format.ts";
import { Load } from "../load.ts";
import { mark } from "../mark.ts";
import { problem, table } from "../parts.ts";
import type { QueueDepth } from "../types.ts";

export function stateOf(it: QueueDepth): string {
  const depth = it.waiting + it.in_flight + it.delayed;
  if (it.name.endsWith("_dlq")) return depth ? "dead letters" : "empty";
  if (it.overdue_since) return "overdue";
  return depth ? "working" : "empty";
}

export class Queues extends View {
  private readonly load = new Load<{ items: QueueDepth[] }>(this);

  override connectedCallback(): void {
    super.connectedCallback();
    this.read();
  }

  private read(): void {
    void this.load.run((signal) => get("/api/queues", {}, signal), true);
  }

  override render(): TemplateResult {
    const { data, error, busy } = this.load;
    return html`<section class="list">
      <div class="title">
        <h1>Queues</h1>
        <button type="button" class="plain" @click=${() => this.read()}>Refresh</button>
      </div>
      ${problem(error, () => this.read())}
      ${
        data
          ? table({
              caption: "Queues",
              columns: [
                { title: "State", cell: (it) => mark(stateOf(it)) },
                { title: "Queue", cell: (it) => words(it.name) },
                { title: "Waiting", cell: (it) => it.waiting, number: true },
                { title: "In flight", cell: (it) => it.in_flight, number: true },
                { title: "Delayed", cell: (it) => it.delayed, number: true },
                { title: "Overdue since", cell: (it) => time(it.overdue_since) },
              ],
              items: data.items,
              empty: "There are no queues.",
            })
          : busy
            ? html`<p role="status">Loading…</p>`
            : nothing
      }
    </section>`;
  }
}
customElements.define("waypost-queues", Queues);
