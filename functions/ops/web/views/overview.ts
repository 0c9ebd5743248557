// Problems first, then plots.

import { html, nothing, type TemplateResult } from "lit";

import "./funnel.ts";
import "../plot.ts";
import { get } from "../api.ts";
import { View } from "../element.ts";
import { count, duration, plural, time, words } from "../format.ts";
import { Load } from "../load.ts";
import { mark } from "../mark.ts";
import { problem, table } from "../parts.ts";
import type { PlotData } from "../plot.ts";
import { changed, href } from "../route.ts";
import { isAdmin, session } from "../session.ts";
import type { Endpoint, Metrics, Page, QueueDepth, Run, WrongSetting } from "../types.ts";
import { stateOf as stateOfEndpoint } from "./endpoints.ts";
import { gaps, plots } from "./plots.ts";
import { stateOf as stateOfQueue } from "./queues.ts";

const HOUR_MS = 3_600_000;
const RANGES: Record<string, number> = { "24h": 24, "7d": 168, "30d": 720 };
const AT_ONCE = 8;
/** Runs of 30 days, in pages of a hundred. */
const PAGES_OF_RUNS = 8;

export class Overview extends View {
  private readonly metrics = new Load<Metrics>(this);
  private readonly endpoints = new Load<Page<Endpoint>>(this);
  private readonly queues = new Load<Page<QueueDepth>>(this);
  private readonly settings = new Load<{ items: WrongSetting[] }>(this);
  private readonly runs = new Load<Run[]>(this);
  private shown = "";

  private get range(): string {
    return this.value("range") in RANGES ? this.value("range") : "24h";
  }

  private get hours(): number {
    return RANGES[this.range] ?? 24;
  }

  protected override willUpdate(): void {
    if (this.range === this.shown) return;
    this.shown = this.range;
    this.read();
  }

  private read(): void {
    const from = new Date(Date.now() - (this.hours - 1) * HOUR_MS).toISOString();
    void this.metrics.run((signal) => get("/metrics", { from }, signal), true);
    if (!isAdmin()) return;
    void this.endpoints.run((signal) => get("/api/endpoints", { limit: 100 }, signal), true);
    void this.settings.run((signal) => get("/api/settings/problems", {}, signal), true);
    if (!session()?.accounts.includes("*")) return;
    void this.queues.run((signal) => get("/api/queues", {}, signal), true);
    void this.runs.run((signal) => runsSince(from, signal), true);
  }

  override render(): TemplateResult {
    const { data } = this.metrics;
    const all = [this.metrics, this.endpoints, this.queues, this.settings, this.runs];
    const isFirst = all.some((load) => load.busy && !load.data);
    return html`<section class="list">
      <div class="title">
        <h1>Overview</h1>
        <div class="ranges" role="group" aria-label="Time">
          ${Object.keys(RANGES).map(
            (range) => html`<a
              href=${changed(this.route, { range })}
              aria-current=${range === this.range ? "true" : nothing}
              >${range}</a
            >`,
          )}
        </div>
        <button type="button" class="plain" @click=${() => this.read()}>Refresh</button>
      </div>
      ${all.map(({ error }) => problem(error, () => this.read()))}
      ${isFirst ? html`<p role="status">Loading…</p>` : data ? this.content(data) : nothing}
    </section>`;
  }

  private content(metrics: Metrics): TemplateResult {
    const needs = this.attention(metrics);
    return html`<h2>Needs attention</h2>
      ${needs.length ? listed(needs) : html`<p class="empty">Nothing needs attention.</p>`}
      ${totals(metrics)}
      <div class="plots">${this.all(metrics).map((data) => html`<waypost-plot .data=${data}></waypost-plot>`)}</div>
      ${
        isAdmin()
          ? html`<waypost-funnel .route=${this.route} days=${this.hours / 24}></waypost-funnel>`
          : nothing
      }
      <h2>Endpoints</h2>
      ${table({
        caption: "Requests by endpoint",
        columns: [
          {
            title: "Endpoint",
            cell: ([name]) => html`<a href=${href("deliveries", { endpoint: name })}>${name}</a>`,
          },
          { title: "Requests", cell: ([, it]) => count(it.total), number: true },
          { title: "Errors", cell: ([, it]) => count(it.errors), number: true },
          { title: "Retries", cell: ([, it]) => count(it.retries), number: true },
          { title: "Dead", cell: ([, it]) => count(it.dead), number: true },
          { title: "Parked", cell: ([, it]) => count(it.parked), number: true },
          { title: "Average", cell: ([, it]) => duration(it.averageResponseTime), number: true },
        ],
        items: Object.entries(metrics.endpoints),
        empty: "Nothing was sent in this time. A delivery follows when an order changes.",
      })}`;
  }

  private all(metrics: Metrics): PlotData[] {
    return [...plots(metrics), ...(this.runs.data ? [gaps(this.runs.data)] : [])];
  }

  private attention({ endpoints, sources, from }: Metrics): TemplateResult[] {
    const dead = Object.entries(endpoints)
      .filter(([, it]) => it.dead > 0)
      .sort(([, one], [, other]) => other.dead - one.dead);
    const failed = Object.entries(sources).filter(([, it]) => it.failed > 0);
    const stopped =
      this.endpoints.data?.items.filter((it) => stateOfEndpoint(it) !== "active") ?? [];
    const queues = this.queues.data?.items.filter((it) => isStuck(it)) ?? [];
    return [
      ...(this.settings.data?.items ?? []).map(wrong),
      ...stopped.map((it) =>
        need(
          stateOfEndpoint(it),
          html`<a href=${href("endpoints", { open: it.name })}>endpoint ${it.name}</a>`,
        ),
      ),
      ...queues.map((it) => {
        const depth = it.waiting + it.in_flight + it.delayed;
        const why = it.overdue_since
          ? html`waiting to get in since ${time(it.overdue_since)}`
          : plural(depth, "message");
        return need(stateOfQueue(it), html`<a href="#/queues">${words(it.name)}: ${why}</a>`);
      }),
      ...failed.map(([source, it]) => {
        const address = href("inbound", { status: "failed", source, from });
        return need(
          "failed",
          html`<a href=${address}>${plural(it.failed, "event")} of ${source} failed</a>`,
        );
      }),
      ...dead.map(([name, it]) => {
        const address = href("deliveries", { state: "dead", endpoint: name, from });
        return need(
          "dead",
          html`<a href=${address}>${plural(it.dead, "delivery", "deliveries")} to ${name} given up</a>`,
        );
      }),
    ];
  }
}
customElements.define("waypost-overview", Overview);

function listed(needs: TemplateResult[]): TemplateResult {
  const rest = needs.slice(AT_ONCE);
  return html`<ul class="needs">
      ${needs.slice(0, AT_ONCE)}
    </ul>
    ${
      rest.length
        ? html`<details>
            <summary>${count(rest.length)} more</summary>
            <ul class="needs">
              ${rest}
            </ul>
          </details>`
        : nothing
    }`;
}

async function runsSince(from: string, signal: AbortSignal): Promise<Run[]> {
  let [runs, page]: [Run[], string | null] = [[], null];
  for (let pages = 0; pages < PAGES_OF_RUNS; pages += 1) {
    const found: Page<Run> = await get("/api/sync/runs", { limit: 100, page }, signal);
    runs = [...runs, ...found.items.filter((run) => run.started_at >= from)];
    page = found.next_page ?? null;
    const oldest = found.items.at(-1)?.started_at ?? "";
    if (!page || oldest < from) break;
  }
  return runs;
}

function wrong(it: WrongSetting): TemplateResult {
  return need(
    "invalid settings",
    html`<span>setting <code>${it.parameter}</code>: ${it.problem}</span>`,
  );
}

function isStuck(it: QueueDepth): boolean {
  return ["dead letters", "overdue"].includes(stateOfQueue(it));
}

function need(state: string, text: TemplateResult): TemplateResult {
  return html`<li>${mark(state)} ${text}</li>`;
}

function totals(it: Metrics): TemplateResult {
  const figures: [string, string][] = [
    ["requests sent", count(it.total)],
    ["answered with 2xx", count(it.success)],
    ["errors", count(it.errors)],
    ["retries", count(it.retries)],
    ["given up", count(it.dead)],
    ["average answer", duration(it.averageResponseTime) || "none"],
    ["95 % within", duration(it.p95ResponseTime) || "none"],
  ];
  return html`<dl class="totals">
    ${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}
