// A list with filters in the address, pages, and a panel for the row that is open.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { learnAccounts } from "./accounts.ts";
import { get, type Query } from "./api.ts";
import { focusRow, View } from "./element.ts";
import { plural } from "./format.ts";
import { Load } from "./load.ts";
import { type Column, type Filter, filters, problem, table } from "./parts.ts";
import { changed } from "./route.ts";
import type { Page } from "./types.ts";

/** A page may be empty and still have a next one: so many are read before the person is asked. */
const PAGES_AT_ONCE = 4;
const ROWS = 50;
const NEWS_MS = 20_000;

interface Listed<T> {
  items: T[];
  next: string | null;
}

export abstract class ListView<T> extends View {
  static override properties = { ...View.properties, news: { state: true } };

  declare news: number;
  protected abstract readonly heading: string;
  protected abstract readonly path: string;
  protected readonly filters: Filter[] = [];
  /** Set by the address, not by a filter. */
  protected readonly fixed: Query = {};
  protected readonly list = new Load<Listed<T>>(this);
  private timer: ReturnType<typeof setInterval> | undefined;
  private listed = "";

  constructor() {
    super();
    this.news = 0;
  }

  protected abstract key(item: T): string;
  protected abstract columns(): Column<T>[];
  protected abstract empty(): string;
  protected panel(_open: string): TemplateResult | typeof nothing {
    return nothing;
  }
  /** Above the table. */
  protected above(): unknown {
    return nothing;
  }
  protected opens(): boolean {
    return true;
  }
  protected hasNews(): boolean {
    return this.filters.some(({ name }) => name === "from") && !this.value("to");
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => void this.lookForNews(), NEWS_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  protected override willUpdate(change: PropertyValues): void {
    const asked = JSON.stringify(this.query());
    if (asked !== this.listed) {
      this.listed = asked;
      void this.reload();
    }
    super.willUpdate(change);
  }

  protected override updated(change: PropertyValues): void {
    focusRow(this, change);
  }

  private query(): Query {
    const given = this.filters.map(({ name }): [string, string] => [name, this.value(name)]);
    return { ...this.fixed, ...Object.fromEntries(given) };
  }

  protected reload(keep = false): Promise<void> {
    this.news = 0;
    return this.list.run((signal) => this.read([], null, signal), keep);
  }

  private more(): void {
    const { items = [], next = null } = this.list.data ?? {};
    void this.list.run((signal) => this.read(items, next, signal), true);
  }

  private async read(before: T[], from: string | null, signal: AbortSignal): Promise<Listed<T>> {
    let items = before;
    let next = from;
    for (let pages = 0; pages < PAGES_AT_ONCE; pages += 1) {
      const page = await this.page(next, signal);
      items = [...items, ...page.items];
      next = page.next_page ?? null;
      if (!next || items.length > before.length) break;
    }
    learnAccounts(items);
    return { items, next };
  }

  protected page(from: string | null, signal?: AbortSignal): Promise<Page<T>> {
    return get<Page<T>>(this.path, { ...this.query(), limit: ROWS, page: from }, signal);
  }

  /** New rows announce themselves and come when asked: rows never move under the pointer. */
  private async lookForNews(): Promise<void> {
    const { data, busy } = this.list;
    if (!this.hasNews() || !data || busy || document.hidden) return;
    const known = new Set(data.items.map((item) => this.key(item)));
    try {
      const { items } = await this.page(null);
      if (this.list.data === data)
        this.news = items.filter((it) => !known.has(this.key(it))).length;
    } catch {
      // The next look may succeed.
    }
  }

  override render(): TemplateResult {
    const open = this.value("open");
    return html`<div class="view ${open ? "split" : ""}">
      <section class="list">
        <div class="title">
          <h1>${this.heading}</h1>
          <button type="button" class="plain" @click=${() => void this.reload(true)}>Refresh</button>
          <span class="news" role="status"
            >${
              this.news
                ? html`<button type="button" @click=${() => void this.reload(true)}>
                    ${plural(this.news, "new row")}
                  </button>`
                : nothing
            }</span
          >
        </div>
        ${this.filters.length ? filters(this.route, this.filters) : nothing} ${this.above()}
        ${problem(this.list.error, () => void this.reload())} ${this.rows(open)}
      </section>
      ${open ? this.panel(open) : nothing}
    </div>`;
  }

  private rows(open: string): unknown {
    const { data, busy } = this.list;
    if (!data) return busy ? html`<p class="empty" role="status">Loading…</p>` : nothing;
    const empty = data.next
      ? "Nothing found yet: the rest is still to be looked through."
      : this.empty();
    const leads = this.opens();
    return html`${table<T>({
      caption: this.heading,
      columns: this.columns(),
      items: data.items,
      empty,
      ...(leads && {
        address: (item) => changed(this.route, { open: this.key(item) }),
        isOpen: (item) => this.key(item) === open,
      }),
    })}
    ${
      data.next
        ? html`<button type="button" ?disabled=${busy} @click=${() => this.more()}>Load more</button>`
        : nothing
    }`;
  }
}
