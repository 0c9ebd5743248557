// Times are shown in the zone of the browser, to the second; `title` has them as the API gave them.

import { html, nothing, type TemplateResult } from "lit";

const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const COUNT = new Intl.NumberFormat();

export function time(at: string | null): TemplateResult | typeof nothing {
  if (!at) return nothing;
  const date = new Date(at);
  return html`<time datetime=${at} title=${at}>${DAY.format(date)} ${CLOCK.format(date)}</time>`;
}

export function count(value: number): string {
  return COUNT.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function duration(ms: number | null): string {
  if (ms === null) return "";
  return ms < 10_000 ? `${count(ms)} ms` : `${count(Math.round(ms / 1000))} s`;
}

export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** Indented if it is JSON; numbers keep their digits, as only white space is added. */
export function pretty(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return indent(text);
}

function indent(json: string): string {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let depth = 0;
  let out = "";
  tokens.forEach((token, index) => {
    const closes = token === "}" || token === "]";
    const isEmpty = closes && /^[{[]$/.test(tokens[index - 1] ?? "");
    if (closes) {
      depth -= 1;
      out += isEmpty ? token : `\n${"  ".repeat(depth)}${token}`;
    } else if (token === "{" || token === "[") {
      depth += 1;
      const next = tokens[index + 1] ?? "";
      out += /^[}\]]$/.test(next) ? token : `${token}\n${"  ".repeat(depth)}`;
    } else if (token === ",") {
      out += `,\n${"  ".repeat(depth)}`;
    } else {
      out += token === ":" ? ": " : token;
    }
  });
  return out;
}
