import { html, nothing, type TemplateResult } from "lit";

import "./secret.ts";
import { post } from "../api.ts";
import { ask } from "../dialog.ts";
import { PanelView } from "../element.ts";
import { duration, plural, time, words } from "../format.ts";
import { ListView } from "../list-view.ts";
import { mark } from "../mark.ts";
import { failure, notice } from "../notice.ts";
import { type Column, code, facts, panel } from "../parts.ts";
import { href } from "../route.ts";
import { isAdmin } from "../session.ts";
import type { Endpoint, TestResult } from "../types.ts";

const WHY: Record<string, string> = {
  failing: "It failed too often. A probe ends the pause once it answers again.",
  disabled_by_receiver: "Its receiver asked for no more deliveries.",
  paused_by_admin: "An admin paused it. Enable it to go on.",
  credentials_refused: "WhatsApp refused the access token or its permissions.",
  number_refused: "WhatsApp refused the number, its business account or the URL.",
};

export function stateOf(it: Endpoint): string {
  if (it.format === null) return "invalid settings";
  return it.enabled ? it.state : "switched off";
}

export class EndpointPanel extends PanelView {
  static override properties = {
    ...PanelView.properties,
    endpoint: { attribute: false },
    result: { state: true },
    testing: { state: true },
  };

  declare endpoint: Endpoint | null;
  declare result: TestResult | null;
  declare testing: boolean;
  private shown = "";

  constructor() {
    super();
    this.endpoint = null;
    this.result = null;
    this.testing = false;
  }

  protected override willUpdate(): void {
    const name = this.value("open");
    if (name !== this.shown) this.result = null;
    this.shown = name;
  }

  private async change(it: Endpoint, action: "enable" | "pause"): Promise<void> {
    const text =
      action === "pause"
        ? `1 endpoint, ${it.name}: its deliveries are kept until it is enabled, 72 hours at most.`
        : `1 endpoint, ${it.name}: new deliveries are sent at once, parked ones follow within minutes.`;
    const verb = action === "pause" ? "Pause" : "Enable";
    if (!(await ask({ title: `${verb} this endpoint?`, text, action: `${verb} 1` }))) return;
    try {
      await post(`/api/endpoints/${encodeURIComponent(it.name)}/${action}`);
      notice(action === "pause" ? `${it.name} is paused.` : `${it.name} is enabled.`);
      this.dispatchEvent(new CustomEvent("settled", { bubbles: true }));
    } catch (error) {
      failure(error);
    }
  }

  private async test(it: Endpoint): Promise<void> {
    const text = `1 test delivery, without an order, is posted to ${it.name} once.`;
    if (!(await ask({ title: "Test this endpoint?", text, action: "Send 1 test" }))) return;
    this.result = null;
    this.testing = true;
    try {
      this.result = await post<TestResult>("/api/external/webhook-test", { endpoint: it.name });
    } catch (error) {
      failure(error);
    }
    this.testing = false;
  }

  override render(): TemplateResult {
    const it = this.endpoint;
    const content = it ? this.detail(it) : html`<p class="empty">There is no such endpoint.</p>`;
    return panel("Endpoint", this.route, content);
  }

  private detail(it: Endpoint): TemplateResult {
    return html`<p class="verdict">
        ${mark(stateOf(it))} ${it.format === null ? "Its settings cannot be used: correct them." : nothing}
        ${it.reason ? (WHY[it.reason] ?? words(it.reason)) : nothing}
      </p>
      ${isAdmin() ? this.actions(it) : nothing}
      ${facts([
        ["Name", it.name],
        ["Format", it.format],
        ["Accounts", it.accounts.join(", ")],
        ["WhatsApp's error", it.error_code],
        ["Since", time(it.since)],
        ["Next probe", time(it.next_probe_at)],
        ["Failures", it.failures ? `${it.failures} in a row` : null],
        ["Lane", it.slow ? "slow" : null],
      ])}
      <p>
        <a href=${href("deliveries", { endpoint: it.name })}>Its deliveries</a> ·
        <a href=${href("deliveries", { endpoint: it.name, state: "dead" })}>dead ones</a>
      </p>
      ${
        isAdmin() && it.format !== "whatsapp"
          ? html`<waypost-secret .endpoint=${it.name}></waypost-secret>`
          : nothing
      }
      ${this.testing ? html`<p role="status">Waiting for its answer…</p>` : nothing}
      ${this.result ? diagnosis(this.result) : nothing}`;
  }

  private actions(it: Endpoint): TemplateResult {
    const isStopped = it.state === "paused" || it.state === "disabled";
    return html`<div class="actions">
      <button
        type="button"
        class="primary"
        ?disabled=${this.testing || it.format === "whatsapp"}
        @click=${() => void this.test(it)}
      >
        Test…
      </button>
      ${
        isStopped
          ? html`<button type="button" @click=${() => void this.change(it, "enable")}>Enable…</button>`
          : html`<button type="button" @click=${() => void this.change(it, "pause")}>Pause…</button>`
      }
    </div>`;
  }
}
customElements.define("waypost-endpoint", EndpointPanel);

function diagnosis(it: TestResult): TemplateResult {
  const headers = Object.entries(it.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  return html`<section aria-label="Result of the test" role="status">
    <h3>Test</h3>
    <p>${mark(it.success ? "delivered" : "failed")} <strong>${words(it.code)}</strong></p>
    <p>${it.message}</p>
    ${facts([
      ["Status", it.status],
      ["Duration", duration(it.latencyMs)],
      ["Redirects to", it.redirectTo],
    ])}
    ${it.excerpt ? html`<h4>Answer</h4>${code("Beginning of the answer", it.excerpt)}` : nothing}
    ${
      headers.length
        ? html`<details>
            <summary>${plural(headers.length, "header")} sent</summary>
            <pre tabindex="0" role="region" aria-label="Headers sent">${headers.join("\n")}</pre>
          </details>`
        : nothing
    }
  </section>`;
}

export class Endpoints extends ListView<Endpoint> {
  protected override readonly heading = "Endpoints";
  protected override readonly path = "/api/endpoints";

  constructor() {
    super();
    this.addEventListener("settled", () => void this.reload(true));
  }

  protected override key(item: Endpoint): string {
    return item.name;
  }

  protected override columns(): Column<Endpoint>[] {
    return [
      { title: "State", cell: (it) => mark(stateOf(it)) },
      { title: "Name", cell: (it) => it.name },
      { title: "Format", cell: (it) => it.format ?? "" },
      { title: "Accounts", cell: (it) => it.accounts.join(", ") },
      { title: "Reason", cell: (it) => (it.reason ? words(it.reason) : "") },
      { title: "Since", cell: (it) => time(it.since) },
      { title: "Failures", cell: (it) => it.failures, number: true },
    ];
  }

  protected override empty(): string {
    return "No endpoint yet: add one with `make endpoint-add`.";
  }

  protected override panel(open: string): TemplateResult {
    const found = this.list.data?.items.find(({ name }) => name === open) ?? null;
    return html`<waypost-endpoint .endpoint=${found} .route=${this.route}></waypost-endpoint>`;
  }
}
customElements.define("waypost-endpoints", Endpoints);
