// A job that is under way: its id is in the address, so it survives a reload.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { get, remove } from "../api.ts";
import { ask } from "../dialog.ts";
import { LightElement } from "../element.ts";
import { plural, time } from "../format.ts";
import { Load } from "../load.ts";
import { mark } from "../mark.ts";
import { failure, notice } from "../notice.ts";
import { problem } from "../parts.ts";
import { changed, currentRoute, replace } from "../route.ts";
import { isAdmin } from "../session.ts";
import type { Job } from "../types.ts";

const LOOK_MS = 3_000;

export class JobBanner extends LightElement {
  static override properties = { job: {} };

  declare job: string;
  private readonly load = new Load<Job>(this);
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override willUpdate(change: PropertyValues): void {
    if (change.has("job")) void this.look();
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    await this.load.run((signal) => get<Job>(`/api/jobs/${this.job}`, {}, signal), true);
    const isRunning = this.load.data?.state === "running";
    if (isRunning && this.isConnected) this.timer = setTimeout(() => void this.look(), LOOK_MS);
  }

  private async stop(job: Job): Promise<void> {
    const text = `${begun(job)} have begun again; those go on.`;
    if (!(await ask({ title: "Stop this job?", text, action: "Stop it" }))) return;
    try {
      await remove(`/api/jobs/${job.id}`);
      notice("The job is stopped.");
      await this.look();
    } catch (error) {
      failure(error);
    }
  }

  override render(): TemplateResult {
    const { data, error } = this.load;
    const hide = () => replace(changed(currentRoute(), { job: null }));
    return html`<section class="job" aria-label="Job">
      ${problem(error, () => void this.look())}
      ${
        data
          ? html`<p role="status">
              ${mark(data.state)}
              <strong>Job</strong> ${about(data)}: ${begun(data)} begun again, since
              ${time(data.started_at)}
            </p>`
          : nothing
      }
      <div class="actions">
        ${
          data?.state === "running" && isAdmin()
            ? html`<button type="button" @click=${() => void this.stop(data)}>Stop…</button>`
            : nothing
        }
        <button type="button" class="plain" @click=${hide}>Hide</button>
      </div>
    </section>`;
  }
}
customElements.define("waypost-job", JobBanner);

function about(job: Job): string {
  const parts = [job.endpoint, job.reason, job.source, job.account_code].filter((it) => it);
  return parts.length ? `of ${parts.join(", ")}` : "of everything";
}

function begun(job: Job): string {
  return job.kind === "events"
    ? plural(job.restarted, "event")
    : plural(job.restarted, "delivery", "deliveries");
}
