// A plot of at most two series over time, and the same values as a table.

import { html, type PropertyValues, type TemplateResult } from "lit";
import uPlot from "uplot";

import { LightElement } from "./element.ts";
import { count, time } from "./format.ts";
import { table } from "./parts.ts";

export interface Series {
  label: string;
  values: (number | null)[];
  /** Dashed and in the colour of failures. */
  isBad?: boolean;
  isDashed?: boolean;
}

export interface PlotData {
  title: string;
  unit: string;
  /** Seconds since 1970 */
  at: number[];
  series: Series[];
  empty: string;
}

const HEIGHT = 180;
const FEW = 12;
const SYNC = uPlot.sync("overview");

export class Plot extends LightElement {
  static override properties = { data: { attribute: false } };

  declare data: PlotData;
  private plot: uPlot | null = null;
  private readonly resize = new ResizeObserver(() => this.fit());
  private readonly scheme = matchMedia("(prefers-color-scheme: dark)");
  private readonly redraw = () => this.draw();

  override connectedCallback(): void {
    super.connectedCallback();
    this.scheme.addEventListener("change", this.redraw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resize.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
    this.plot?.destroy();
    this.plot = null;
  }

  protected override updated(change: PropertyValues): void {
    if (change.has("data")) this.draw();
  }

  private get place(): HTMLElement | null {
    return this.querySelector<HTMLElement>(".plot");
  }

  private fit(): void {
    const width = this.place?.clientWidth ?? 0;
    if (width && width !== this.plot?.width) this.plot?.setSize({ width, height: HEIGHT });
  }

  private draw(): void {
    this.plot?.destroy();
    this.plot = null;
    const { place } = this;
    if (!place) return;
    const { at, series } = this.data;
    this.plot = new uPlot(this.options(place), [at, ...series.map(({ values }) => values)], place);
    this.resize.disconnect();
    this.resize.observe(place);
  }

  private options(place: HTMLElement): uPlot.Options {
    const style = getComputedStyle(place);
    // A canvas takes only colours that the browser has resolved, which variables are not.
    const [good, bad] = [style.outlineColor, style.textDecorationColor];
    const hours = (at: number[]) => at.map((second) => label(second, this.data.at));
    const axis = { stroke: style.color, grid: { stroke: style.borderColor, width: 1 } };
    const lines = this.data.series.map(({ label, values, isBad, isDashed }) => ({
      label,
      // A value between hours without any has no line.
      points: { show: values.filter((value) => value !== null).length < FEW, size: 5 },
      stroke: isBad ? bad : good,
      width: 2,
      ...((isBad || isDashed) && { dash: [6, 3] }),
    }));
    return {
      width: place.clientWidth,
      height: HEIGHT,
      cursor: { sync: { key: SYNC.key }, drag: { x: false, y: false } },
      scales: { y: { range: (_, __, max) => [0, Math.max(max, 1) * 1.1] } },
      axes: [
        { ...axis, values: (_, splits) => hours(splits) },
        { ...axis, size: 56 },
      ],
      series: [{ label: "Time", value: (_, second) => (second ? moment(second) : "") }, ...lines],
    };
  }

  override render(): TemplateResult {
    const { title, unit, at, series, empty } = this.data;
    const isEmpty = series.every(({ values }) => values.every((value) => !value));
    if (isEmpty) return html`<h3>${title}</h3><p class="empty">${empty}</p>`;
    return html`<h3>${title} <span class="muted">${unit}</span></h3>
      <div class="plot" aria-hidden="true"></div>
      <details>
        <summary>As a table</summary>
        ${table({
          caption: title,
          columns: [
            { title: "Time", cell: (row) => time(new Date((at[row] ?? 0) * 1000).toISOString()) },
            ...series.map(({ label, values }) => ({
              title: label,
              cell: (row: number) => count(values[row] ?? 0),
              number: true,
            })),
          ],
          items: at.map((_, row) => row).filter((row) => series.some((it) => it.values[row])),
          empty,
        })}
      </details>`;
  }
}
customElements.define("waypost-plot", Plot);

const HOUR = new Intl.DateTimeFormat(undefined, { timeStyle: "short", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const TWO_DAYS = 2 * 86_400;

function label(second: number, at: number[]): string {
  const date = new Date(second * 1000);
  const isShort = (at.at(-1) ?? 0) - (at[0] ?? 0) < TWO_DAYS;
  return isShort ? HOUR.format(date) : DAY.format(date);
}

function moment(second: number): string {
  const date = new Date(second * 1000);
  return `${DAY.format(date)} ${HOUR.format(date)}`;
}
