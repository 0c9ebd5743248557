import { html, type TemplateResult } from "lit";

import { LightElement } from "./element.ts";
import { problem } from "./parts.ts";
import { signIn } from "./session.ts";

export class SignIn extends LightElement {
  static override properties = { error: { state: true }, busy: { state: true } };

  declare error: string;
  declare busy: boolean;

  constructor() {
    super();
    this.error = "";
    this.busy = false;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    this.busy = true;
    const error = await signIn(String(fields.get("name")), String(fields.get("password")));
    this.busy = false;
    this.error = error ?? "";
    if (error) form.querySelector<HTMLInputElement>("[name=password]")?.select();
  }

  override firstUpdated(): void {
    this.querySelector("input")?.focus();
  }

  override render(): TemplateResult {
    return html`<main class="sign-in">
      <h1>Waypost console</h1>
      <form @submit=${this.submit}>
        <label
          ><span>Name</span>
          <input name="name" required autocomplete="username" autocapitalize="none" spellcheck="false"
        /></label>
        <label
          ><span>Password</span>
          <input name="password" type="password" required autocomplete="current-password"
        /></label>
        ${problem(this.error)}
        <button type="submit" class="primary" ?disabled=${this.busy}>Sign in</button>
      </form>
      <p class="muted">A user of the API, with the role admin, viewer or partner.</p>
    </main>`;
  }
}
customElements.define("waypost-sign-in", SignIn);
