// Pieces that several views share.

import { html, nothing, type TemplateResult } from "lit";

import { pretty } from "./format.ts";
import { changed, go, type Route, replace } from "./route.ts";

export interface Column<T> {
  title: string;
  cell: (item: T) => unknown;
  number?: boolean;
}

export interface Rows<T> {
  caption: string;
  columns: Column<T>[];
  items: T[];
  empty: string;
  /** Where a row leads to; the first column is the link. */
  address?: (item: T) => string;
  isOpen?: (item: T) => boolean;
}

export function table<T>(rows: Rows<T>): TemplateResult {
  if (rows.items.length === 0) return html`<p class="empty">${rows.empty}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${rows.caption}>
    <table>
      <caption class="hidden">
        ${rows.caption}
      </caption>
      <thead>
        <tr>
          ${rows.columns.map(
            ({ title, number }) =>
              html`<th scope="col" class=${number ? "number" : ""}>${title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.items.map((item) => row(rows, item))}
      </tbody>
    </table>
  </div>`;
}

function row<T>(rows: Rows<T>, item: T): TemplateResult {
  const address = rows.address?.(item);
  const isOpen = rows.isOpen?.(item) ?? false;
  const open = (event: Event) => {
    const isLink = event.target instanceof globalThis.Element && event.target.closest("a, button");
    if (address && !isLink && !getSelection()?.toString()) go(address);
  };
  return html`<tr class="${address ? "leads" : ""} ${isOpen ? "open" : ""}" @click=${open}>
    ${rows.columns.map(({ cell, number }, index) => {
      const content = cell(item);
      const isLink = index === 0 && address;
      return html`<td class=${number ? "number" : ""}>
        ${
          isLink
            ? html`<a class="row" href=${address} aria-current=${isOpen ? "true" : nothing}
                >${content}</a
              >`
            : content
        }
      </td>`;
    })}
  </tr>`;
}

export interface Filter {
  name: string;
  label: string;
  /** Without them any text is possible. */
  options?: readonly string[];
  type?: "datetime-local";
}

/** Each change is an address of its own, so that a view can be shared. */
export function filters(route: Route, all: Filter[]): TemplateResult {
  const set = (name: string) => (event: Event) => {
    const field = event.target as HTMLInputElement | HTMLSelectElement;
    const isTime = field.type === "datetime-local" && field.value;
    const value = isTime ? new Date(field.value).toISOString() : field.value.trim();
    go(changed(route, { [name]: value, open: null }));
  };
  const isFiltered = all.some(({ name }) => route.query.get(name));
  return html`<form class="filters" @submit=${(event: Event) => event.preventDefault()}>
    ${all.map(
      (filter) => html`<label
        ><span>${filter.label}</span>${field(filter, route.query.get(filter.name) ?? "", set(filter.name))}</label
      >`,
    )}
    ${
      isFiltered
        ? html`<button type="button" class="plain" @click=${() => go(`#/${route.view}`)}>
            Clear filters
          </button>`
        : nothing
    }
  </form>`;
}

function field(filter: Filter, value: string, set: (event: Event) => void): TemplateResult {
  const { options, type } = filter;
  if (options) {
    return html`<select .value=${value} @change=${set}>
      <option value="" ?selected=${!value}>any</option>
      ${options.map(
        (name) => html`<option value=${name} ?selected=${name === value}>${name}</option>`,
      )}
    </select>`;
  }
  const shown = type && value ? local(value) : value;
  const list = filter.name === "account_code" ? "accounts" : nothing;
  return html`<input
    type=${type ?? "text"}
    list=${list}
    autocomplete="off"
    spellcheck="false"
    .value=${shown}
    @change=${set}
  />`;
}

/** A field of the type `datetime-local` has the browser's zone. */
function local(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function facts(pairs: [string, unknown][]): TemplateResult {
  const given = pairs.filter(([, value]) => value !== null && value !== "" && value !== nothing);
  return html`<dl class="facts">
    ${given.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

export function code(label: string, text: string): TemplateResult {
  return html`<pre tabindex="0" role="region" aria-label=${label}>${pretty(text)}</pre>`;
}

export function problem(text: string, again?: () => void): TemplateResult | typeof nothing {
  if (!text) return nothing;
  const retry = again ? html` <button type="button" @click=${again}>Try again</button>` : nothing;
  return html`<p class="problem" role="alert">${text}${retry}</p>`;
}

/** A panel beside the list, or over it where there is no room. */
export function panel(title: string, route: Route, content: unknown): TemplateResult {
  const close = () => replace(changed(route, { open: null }));
  return html`<aside class="panel" aria-labelledby="panel-title">
    <header>
      <h2 id="panel-title" tabindex="-1">${title}</h2>
      <button type="button" class="plain close" data-close @click=${close}>
        Close <kbd aria-hidden="true">esc</kbd>
      </button>
    </header>
    ${content}
  </aside>`;
}
