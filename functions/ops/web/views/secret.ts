// The signing secret of an endpoint: replaced step by step. A new one is shown once.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { post } from "../api.ts";
import { ask } from "../dialog.ts";
import { LightElement } from "../element.ts";
import { failure, notice } from "../notice.ts";
import type { Rotated, RotationStep } from "../types.ts";

interface Words {
  title: string;
  text: string;
  action: string;
}

const STEPS: Record<RotationStep, Words> = {
  begin: {
    title: "Rotate the secret?",
    text: "A new secret signs beside the present one. It is shown once: give it to the endpoint's owner.",
    action: "Make 1 secret",
  },
  replace: {
    title: "Replace the new secret?",
    text: "Another new secret takes its place, and the one shown before ends. The old one keeps counting.",
    action: "Replace 1 secret",
  },
  finish: {
    title: "Finish the rotation?",
    text: "The old secret ends: deliveries are refused by a receiver that does not verify with the new one.",
    action: "Drop 1 secret",
  },
};

export class Secret extends LightElement {
  static override properties = { endpoint: {}, secret: { state: true }, busy: { state: true } };

  declare endpoint: string;
  declare secret: string;
  declare busy: boolean;

  constructor() {
    super();
    this.secret = "";
    this.busy = false;
  }

  protected override willUpdate(change: PropertyValues): void {
    if (change.has("endpoint")) this.secret = "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.secret = "";
  }

  private async take(step: RotationStep): Promise<void> {
    const { endpoint } = this;
    const { title, text, action } = STEPS[step];
    if (!(await ask({ title, text: `Endpoint ${endpoint}. ${text}`, action }))) return;
    this.busy = true;
    try {
      const path = `/api/endpoints/${encodeURIComponent(endpoint)}/rotate`;
      const { secret } = await post<Rotated>(path, { step });
      if (this.endpoint === endpoint) this.secret = secret ?? "";
      notice(secret ? "Both secrets sign from now on." : "The new secret signs alone.");
    } catch (error) {
      failure(error);
    }
    this.busy = false;
    await this.updateComplete;
    this.querySelector<HTMLElement>(".secret")?.focus();
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.secret);
      notice("Copied.");
    } catch {
      notice("The browser does not allow it: select the text and copy it.");
    }
  }

  override render(): TemplateResult {
    return html`<h3>Signing secret</h3>
      ${this.secret ? this.shown() : nothing}
      <div class="actions">
        ${this.button("begin", "Rotate…")} ${this.button("replace", "Replace the new one…")}
        ${this.button("finish", "Finish…")}
      </div>
      <p class="muted">
        Rotate, give the new secret to the owner, and finish once the receiver verifies with it. Until
        then deliveries carry both signatures.
      </p>`;
  }

  private shown(): TemplateResult {
    return html`<p>The new secret. It is not shown again.</p>
      <div class="actions">
        <code class="secret" tabindex="-1">${this.secret}</code>
        <button type="button" @click=${() => void this.copy()}>Copy</button>
      </div>`;
  }

  private button(step: RotationStep, label: string): TemplateResult {
    return html`<button type="button" ?disabled=${this.busy} @click=${() => void this.take(step)}>
      ${label}
    </button>`;
  }
}
customElements.define("waypost-secret", Secret);
