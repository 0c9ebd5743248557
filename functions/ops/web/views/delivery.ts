// One delivery: body, attempts, responses, explained errors.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { get, post } from "../api.ts";
import { ask } from "../dialog.ts";
import { PanelView } from "../element.ts";
import { ofAttempt, ofReason, ofState } from "../explain.ts";
import { duration, plural, time, words } from "../format.ts";
import { Load } from "../load.ts";
import { mark } from "../mark.ts";
import { failure, notice } from "../notice.ts";
import { code, facts, panel, problem } from "../parts.ts";
import { redrive } from "../redrive.ts";
import { href } from "../route.ts";
import { isAdmin } from "../session.ts";
import type { Attempt, DeliveryDetail } from "../types.ts";

export class DeliveryPanel extends PanelView {
  static override properties = { ...PanelView.properties, delivery: {} };

  declare delivery: string;
  private readonly load = new Load<DeliveryDetail>(this);

  protected override willUpdate(change: PropertyValues): void {
    if (change.has("delivery")) void this.read();
  }

  private read(keep = false): Promise<void> {
    const path = `/api/deliveries/${encodeURIComponent(this.delivery)}`;
    return this.load.run((signal) => get<DeliveryDetail>(path, {}, signal), keep);
  }

  private async replay(it: DeliveryDetail): Promise<void> {
    const confirmed = await ask({
      title: "Replay this delivery?",
      text: `1 delivery to ${it.endpoint} is sent again: the same body under the same id.`,
      action: "Replay 1",
    });
    if (!confirmed) return;
    try {
      await post(`/api/deliveries/${encodeURIComponent(it.id)}/replay`);
      notice("The replay is queued. It is sent within a moment, two minutes at most.");
      await this.read(true);
    } catch (error) {
      failure(error);
    }
  }

  override render(): TemplateResult {
    const { data, error, busy } = this.load;
    const content = html`${problem(error, () => void this.read())}
    ${data ? this.detail(data) : busy ? html`<p role="status">Loading…</p>` : nothing}`;
    return panel("Delivery", this.route, content);
  }

  private detail(it: DeliveryDetail): TemplateResult {
    return html`<p class="verdict">
        ${mark(it.state)} ${ofState(it.state)}
      </p>
      ${it.reason ? html`<p><strong>${words(it.reason)}</strong>: ${ofReason(it.reason)}</p>` : nothing}
      <div class="actions">
        ${isAdmin() ? this.actions(it) : nothing}
        <button type="button" class="plain" @click=${() => void this.read(true)}>Refresh</button>
      </div>
      ${facts([
        ["Id", html`<code>${it.id}</code>`],
        ["Endpoint", it.endpoint],
        ["Order", this.order(it)],
        ["Account", it.account_code],
        ["Event", it.kind],
        ["Format", it.format],
        ["Version", it.version],
        ["Created", time(it.created_at)],
        ["Next attempt", time(it.next_attempt_at)],
        ["Replayed", time(it.replayed_at)],
      ])}
      <h3>Attempts</h3>
      ${
        it.attempt_log.length === 0
          ? html`<p class="empty">None has ended yet.</p>`
          : html`<ol class="attempts">
              ${[...it.attempt_log].reverse().map((attempt) => this.attempt(attempt))}
            </ol>`
      }
      <details>
        <summary>What is sent</summary>
        <p class="muted">
          <code>webhook-id: ${it.id}</code>, with the time and signature of each attempt.
        </p>
        ${
          it.body === null
            ? html`<p class="empty">The body was erased.</p>`
            : code("Body of the delivery", it.body)
        }
      </details>`;
  }

  private order(it: DeliveryDetail): unknown {
    if (!it.order_id) return nothing;
    const address = href("order", { id: it.order_id, account_code: it.account_code });
    return html`<a href=${address}>${it.order_id}</a>`;
  }

  private actions(it: DeliveryDetail): TemplateResult {
    const filter: Record<string, string> = { endpoint: it.endpoint };
    if (it.reason) filter.reason = it.reason;
    if (it.account_code) filter.account_code = it.account_code;
    const all = () =>
      void redrive({
        path: "/api/dlq/deliveries/replay",
        thing: ["dead delivery", "dead deliveries"],
        filter,
      });
    const again = html`<button
      type="button"
      class="primary"
      data-again
      @click=${() => void this.replay(it)}
    >
      Replay… <kbd aria-hidden="true">r</kbd>
    </button>`;
    if (it.state !== "dead") return again;
    return html`${again}<button type="button" @click=${all}>Replay all like this…</button>`;
  }

  private attempt(attempt: Attempt): TemplateResult {
    const isGood = attempt.status !== null && attempt.status >= 200 && attempt.status < 300;
    return html`<li>
      <p>
        ${mark(isGood ? "delivered" : "failed")}
        <strong>${attempt.error ?? attempt.status ?? "no answer"}</strong>
        ${time(attempt.at)} · ${duration(attempt.latency_ms)}
        ${attempt.run > 1 ? ` · ${plural(attempt.run - 1, "replay")}` : nothing}
      </p>
      <p class="muted">${ofAttempt(attempt.error, attempt.status)}</p>
      ${
        attempt.excerpt
          ? html`<details>
              <summary>Answer</summary>
              ${code("Beginning of the answer", attempt.excerpt)}
            </details>`
          : nothing
      }
    </li>`;
  }
}
customElements.define("waypost-delivery", DeliveryPanel);
