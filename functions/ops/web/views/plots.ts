// The overview's plots of the hour counters.

import type { PlotData } from "../plot.ts";
import type { EventCounts, Metrics, MetricsHour, Run } from "../types.ts";

const HOUR_MS = 3_600_000;
/** A plot has this many points at most. */
const POINTS = 168;

export function plots(metrics: Metrics): PlotData[] {
  const buckets = bucketed(metrics);
  const at = buckets.map((bucket) => bucket.at);
  const values = (of: (hour: MetricsHour) => number) =>
    buckets.map(({ hours }) => hours.reduce((sum, hour) => sum + of(hour), 0));
  const events = (of: (counts: EventCounts) => number) =>
    values((hour) => Object.values(hour.sources).reduce((sum, it) => sum + of(it), 0));
  const unit = buckets.length < 2 || step(metrics) === HOUR_MS ? "per hour" : "per bar";
  return [
    {
      title: "Requests",
      unit,
      at,
      series: [
        { label: "2xx", values: values((hour) => hour.success) },
        { label: "errors", values: values((hour) => hour.errors), isBad: true },
      ],
      empty: "No request was sent in this time.",
    },
    {
      title: "Answers within",
      unit: step(metrics) === HOUR_MS ? "ms" : "ms, of each bar's slowest hour",
      at,
      series: [
        { label: "half of them", values: buckets.map(({ hours }) => slowest(hours, "p50")) },
        {
          label: "95 %",
          values: buckets.map(({ hours }) => slowest(hours, "p95")),
          isDashed: true,
        },
      ],
      empty: "No request was sent in this time.",
    },
    {
      title: "Events",
      unit,
      at,
      series: [
        { label: "processed", values: events((it) => it.processed) },
        { label: "failed", values: events((it) => it.failed + it.quarantined), isBad: true },
      ],
      empty: "No event was processed in this time, or your accounts do not show them.",
    },
    {
      title: "Unmatched events",
      unit,
      at,
      series: [{ label: "unmatched", values: events((it) => it.unmatched) }],
      empty: "Every event found its order, or your accounts do not show them.",
    },
    {
      title: "Retried and given up",
      unit,
      at,
      series: [
        { label: "retries", values: values((hour) => hour.retries) },
        { label: "given up", values: values((hour) => hour.dead), isBad: true },
      ],
      empty: "Nothing was retried or given up in this time.",
    },
  ];
}

/** Hours cannot be merged: only their percentiles are known. */
function slowest(hours: MetricsHour[], percentile: "p50" | "p95"): number | null {
  const all = hours.map((hour) => hour[`${percentile}ResponseTime`]);
  const known = all.filter((ms): ms is number => ms !== null);
  return known.length ? Math.max(...known) : null;
}

function step({ from, to }: Metrics): number {
  const hours = (Date.parse(to) - Date.parse(from)) / HOUR_MS;
  return Math.max(1, Math.ceil(hours / POINTS)) * HOUR_MS;
}

/** Hours without counts are absent from the answer: here they are empty. */
function bucketed(metrics: Metrics): { at: number; hours: MetricsHour[] }[] {
  const width = step(metrics);
  const begin = Math.floor(Date.parse(metrics.from) / HOUR_MS) * HOUR_MS;
  const size = Math.ceil((Date.parse(metrics.to) - begin) / width);
  const buckets = Array.from({ length: size }, (_, index) => ({
    at: (begin + index * width) / 1000,
    hours: [] as MetricsHour[],
  }));
  for (const hour of metrics.hours) {
    buckets[Math.floor((Date.parse(hour.hour) - begin) / width)]?.hours.push(hour);
  }
  return buckets;
}

/** How many of a run's orders had changed without a webhook. */
export function gaps(runs: Run[]): PlotData {
  const closed = runs.filter(({ sources }) => rate(sources) !== null).reverse();
  return {
    title: "Gap rate of sync",
    unit: "% of the orders asked about, per run",
    at: closed.map(({ started_at }) => Math.floor(Date.parse(started_at) / 1000)),
    series: [{ label: "%", values: closed.map(({ sources }) => rate(sources)) }],
    empty: "No run of this time has found an order that webhooks had missed.",
  };
}

function rate(sources: Run["sources"]): number | null {
  const known = sources.flatMap(({ gap_rate }) => (gap_rate === null ? [] : [Number(gap_rate)]));
  return known.length ? Math.round(Math.max(...known) * 10_000) / 100 : null;
}
