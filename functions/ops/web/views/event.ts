// One inbound event: its result, its body on request, and a retry.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { get, post } from "../api.ts";
import { ask } from "../dialog.ts";
import { PanelView } from "../element.ts";
import { ofEvent } from "../explain.ts";
import { plural, time } from "../format.ts";
import { Load } from "../load.ts";
import { mark } from "../mark.ts";
import { failure, notice } from "../notice.ts";
import { code, facts, panel, problem } from "../parts.ts";
import { isAdmin } from "../session.ts";
import type { EventDetail } from "../types.ts";

const LOOK_MS = 1_000;
const LOOKS = 20;

export class EventPanel extends PanelView {
  static override properties = {
    ...PanelView.properties,
    event: {},
    retrying: { state: true },
  };

  declare event: string;
  declare retrying: boolean;
  private readonly load = new Load<EventDetail>(this);
  /** With the body, once it was asked for. */
  private readonly revealed = new Load<EventDetail>(this);

  constructor() {
    super();
    this.retrying = false;
  }

  protected override willUpdate(change: PropertyValues): void {
    if (!change.has("event")) return;
    this.revealed.clear();
    void this.read();
  }

  private get path(): string {
    return encodeURIComponent(this.event);
  }

  private read(keep = false): Promise<void> {
    const path = `/api/webhooks/logs/${this.path}`;
    return this.load.run((signal) => get<EventDetail>(path, {}, signal), keep);
  }

  private reveal(): void {
    const path = `/api/webhooks/logs/${this.path}`;
    void this.revealed.run((signal) => get<EventDetail>(path, { reveal: "true" }, signal));
  }

  private async retry(): Promise<void> {
    const text = "1 event is processed again. What it did before is recognised and not repeated.";
    if (!(await ask({ title: "Retry this event?", text, action: "Retry 1" }))) return;
    this.retrying = true;
    try {
      const { status } = await post<{ status: string }>(`/api/webhooks/retry/${this.path}`);
      if (status === "already_applied") notice("It was applied before. Nothing is left to do.");
      else await this.follow();
    } catch (error) {
      failure(error);
    }
    this.retrying = false;
  }

  /** Until the event has been processed since. */
  private async follow(): Promise<void> {
    notice("The retry is queued.");
    const [event, before] = [this.event, this.load.data?.settled_at];
    for (let look = 0; look < LOOKS && this.isConnected && this.event === event; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      await this.read(true);
      const { data } = this.load;
      if (data && data.settled_at !== before) {
        notice(`Processed again: ${data.status}.`);
        this.dispatchEvent(new CustomEvent("settled", { bubbles: true }));
        return;
      }
    }
  }

  override render(): TemplateResult {
    const { data, error, busy } = this.load;
    const content = html`${problem(error, () => void this.read())}
    ${data ? this.detail(data) : busy ? html`<p role="status">Loading…</p>` : nothing}`;
    return panel("Inbound event", this.route, content);
  }

  private detail(it: EventDetail): TemplateResult {
    return html`<p class="verdict">${mark(it.status)} ${ofEvent(it.status)}</p>
      ${it.reason ? html`<p>Reason: <strong>${it.reason}</strong></p>` : nothing}
      <div class="actions">
        ${
          isAdmin()
            ? html`<button
                type="button"
                class="primary"
                data-again
                ?disabled=${this.retrying}
                @click=${() => void this.retry()}
              >
                Retry… <kbd aria-hidden="true">r</kbd>
              </button>`
            : nothing
        }
        <button type="button" class="plain" @click=${() => void this.read(true)}>Refresh</button>
      </div>
      ${facts([
        ["Id", html`<code>${it.id}</code>`],
        ["Source", it.source],
        ["Account", it.account_code],
        ["Received", time(it.received_at)],
        ["Processed", time(it.settled_at)],
        ["Erased", time(it.erased_at)],
      ])}
      <h3>Body</h3>
      ${this.body(it)}`;
  }

  private body(it: EventDetail): TemplateResult {
    if (it.size === null) return html`<p class="empty">There is no body: it was erased.</p>`;
    const { data, error, busy } = this.revealed;
    if (data?.body != null) {
      const text = data.body_encoding === "base64" ? "in base64" : "";
      return html`<p class="muted">${plural(it.size, "byte")} ${text}</p>
        ${code("Body of the event", data.body)}`;
    }
    return html`<p class="muted">
        It may hold a shopper's data. The audit log keeps who asked for it.
      </p>
      ${problem(error)}
      <button type="button" ?disabled=${busy} @click=${() => this.reveal()}>
        Show ${plural(it.size, "byte")}
      </button>`;
  }
}
customElements.define("waypost-event", EventPanel);
