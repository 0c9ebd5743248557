// Lists without a panel: denied webhooks, jobs, runs, the audit log.

import { html, type TemplateResult } from "lit";

import { time, words } from "../format.ts";
import { ListView } from "../list-view.ts";
import { mark } from "../mark.ts";
import type { Column } from "../parts.ts";
import { href } from "../route.ts";
import type { AuditEntry, DeniedHour, Job, Run } from "../types.ts";

abstract class PlainList<T> extends ListView<T> {
  protected override opens(): boolean {
    return false;
  }
}

export class Denied extends PlainList<DeniedHour> {
  protected override readonly heading = "Denied webhooks";
  protected override readonly path = "/api/webhooks/denied";

  protected override key(item: DeniedHour): string {
    return `${item.hour} ${item.source} ${item.hook}`;
  }

  protected override columns(): Column<DeniedHour>[] {
    return [
      { title: "Hour", cell: (it) => time(it.hour) },
      { title: "Source", cell: (it) => it.source },
      { title: "Hook", cell: (it) => it.hook ?? "" },
      { title: "Account", cell: (it) => it.account_code ?? "" },
      { title: "Count", cell: (it) => it.count, number: true },
      { title: "Last address", cell: (it) => it.last.at(-1)?.address ?? "" },
      { title: "Why", cell: (it) => it.last.at(-1)?.reason ?? "" },
    ];
  }

  protected override empty(): string {
    return "No webhook was denied in the last 30 days. One with a wrong token or address appears here.";
  }
}
customElements.define("waypost-denied", Denied);

export class Sync extends PlainList<Run> {
  protected override readonly heading = "Sync runs";
  protected override readonly path = "/api/sync/runs";

  protected override key(item: Run): string {
    return item.id;
  }

  protected override columns(): Column<Run>[] {
    return [
      { title: "State", cell: (it) => mark(it.state) },
      { title: "Began", cell: (it) => time(it.started_at) },
      { title: "Kind", cell: (it) => it.kind },
      { title: "Planned", cell: (it) => it.planned, number: true },
      { title: "Batches", cell: (it) => `${it.done + it.failed} of ${it.batches}`, number: true },
      { title: "Failed", cell: (it) => it.failed, number: true },
      { title: "Why", cell: (it) => it.failures.join(", ") },
      { title: "Changed", cell: (it) => it.changed, number: true },
      { title: "Unknown", cell: (it) => it.unknown, number: true },
      { title: "Gap rate", cell: gap, number: true },
      { title: "Seconds", cell: (it) => it.seconds ?? "", number: true },
    ];
  }

  protected override above(): unknown {
    return html`<p><a href="#/stale">Orders whose parcel the carrier does not know</a></p>`;
  }

  protected override empty(): string {
    return "No run yet. One begins every hour once Shipway has a base_url.";
  }
}
customElements.define("waypost-sync", Sync);

function gap(it: Run): string {
  const rates = it.sources.flatMap(({ gap_rate }) => (gap_rate === null ? [] : [gap_rate]));
  return rates.map((rate) => `${(Number(rate) * 100).toFixed(2)} %`).join(", ");
}

export class Jobs extends PlainList<Job> {
  protected override readonly heading = "Jobs";
  protected override readonly path = "/api/jobs";

  protected override key(item: Job): string {
    return item.id;
  }

  protected override columns(): Column<Job>[] {
    return [
      { title: "State", cell: (it) => mark(it.state) },
      { title: "Began", cell: (it) => time(it.started_at) },
      { title: "By", cell: (it) => it.started_by },
      { title: "What", cell: watch },
      { title: "Endpoint", cell: (it) => it.endpoint ?? "" },
      { title: "Reason", cell: (it) => (it.reason ? words(it.reason) : "") },
      { title: "Source", cell: (it) => it.source ?? "" },
      { title: "Account", cell: (it) => it.account_code ?? "" },
      { title: "Begun again", cell: (it) => it.restarted, number: true },
      { title: "Ended", cell: (it) => time(it.ended_at) },
    ];
  }

  protected override empty(): string {
    return "No job in the last 30 days. One begins when many deliveries or events are begun again.";
  }
}
customElements.define("waypost-jobs", Jobs);

function watch(it: Job): TemplateResult {
  const view = it.kind === "events" ? "inbound" : "deliveries";
  return html`<a href=${href(view, { job: it.id })}>${it.kind}</a>`;
}

export class Audit extends PlainList<AuditEntry> {
  protected override readonly heading = "Audit log";
  protected override readonly path = "/api/audit";

  protected override key(item: AuditEntry): string {
    return `${item.at} ${item.by} ${item.target}`;
  }

  protected override columns(): Column<AuditEntry>[] {
    return [
      { title: "Time", cell: (it) => time(it.at) },
      { title: "By", cell: (it) => it.by },
      { title: "Action", cell: (it) => it.action },
      { title: "Target", cell: (it) => it.target },
      { title: "Details", cell: details },
    ];
  }

  protected override empty(): string {
    return "Nothing yet. What admins do, such as a replay or a pause, is kept here for a year.";
  }
}
customElements.define("waypost-audit", Audit);

function details(it: AuditEntry): string {
  const given = Object.entries(it.details ?? {}).filter(([, value]) => value !== null);
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return given.map(([name, value]) => `${words(name)} ${text(value)}`).join(", ");
}
