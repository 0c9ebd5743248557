import { html, nothing, type TemplateResult } from "lit";

import { onlyAccount } from "../accounts.ts";
import { get } from "../api.ts";
import { View } from "../element.ts";
import { count } from "../format.ts";
import { Load } from "../load.ts";
import { type Column, filters, problem, table } from "../parts.ts";
import type { MessageFigures, MessageStats } from "../types.ts";

type Row = MessageFigures & { name: string };

export class Messages extends View {
  private readonly load = new Load<MessageStats>(this);
  private shown = "";

  private get account(): string {
    return this.value("account_code") || onlyAccount() || "";
  }

  protected override willUpdate(): void {
    if (this.account === this.shown) return;
    this.shown = this.account;
    if (this.account) this.read();
    else this.load.clear();
  }

  private read(): void {
    const query = { account_code: this.account };
    void this.load.run((signal) => get("/api/messages/stats", query, signal));
  }

  override render(): TemplateResult {
    const { data, error, busy } = this.load;
    return html`<section class="list">
      <div class="title"><h1>Messages</h1></div>
      ${onlyAccount() ? nothing : filters(this.route, [{ name: "account_code", label: "Account" }])}
      ${this.account ? nothing : html`<p class="empty">Choose an account to see its messages.</p>`}
      ${problem(error, () => this.read())} ${busy ? html`<p role="status">Loading…</p>` : nothing}
      ${data ? figures(data) : nothing}
    </section>`;
  }
}
customElements.define("waypost-messages", Messages);

function figures(stats: MessageStats): TemplateResult {
  const { errors, sent, failed } = stats.total;
  if (!sent && !failed && !stats.templates.length) {
    return html`<p class="empty">
      No message in the last 30 days. One is counted when it is sent, or when WhatsApp tells of it.
    </p>`;
  }
  const templates = stats.templates.map((it) => ({ ...it, name: it.template ?? "no template" }));
  return html`${table<Row>({
    caption: "Messages by template",
    columns: COLUMNS,
    items: [{ ...stats.total, name: "all" }, ...templates],
    empty: "",
  })}
    <h2>Failures</h2>
    ${table({
      caption: "Failures by code",
      columns: [
        { title: "Code", cell: (it) => it.code ?? "none" },
        { title: "Messages", cell: (it) => count(it.count), number: true },
      ],
      items: errors,
      empty: "No message failed in the last 30 days.",
    })}`;
}

const share = (part: number, of: number) => (of ? `${Math.round((part / of) * 100)} %` : "");

const COLUMNS: Column<Row>[] = [
  { title: "Template", cell: (it) => it.name },
  { title: "Sent", cell: (it) => count(it.sent), number: true },
  { title: "Delivered", cell: (it) => count(it.delivered), number: true },
  { title: "of sent", cell: (it) => share(it.delivered, it.sent), number: true },
  { title: "Read", cell: (it) => count(it.read), number: true },
  { title: "of delivered", cell: (it) => share(it.read, it.delivered), number: true },
  { title: "Replied", cell: (it) => count(it.replied), number: true },
  { title: "Failed", cell: (it) => count(it.failed), number: true },
];
