// Accounts that the console has seen, as suggestions: the API lists none for a user of all accounts.

import { session } from "./session.ts";

const seen = new Set<string>();

export function learnAccounts(items: readonly unknown[]): void {
  for (const item of items) {
    if (typeof item !== "object" || item === null) continue;
    const { account_code: one, accounts } = item as { account_code?: unknown; accounts?: unknown };
    const all = [one, ...(Array.isArray(accounts) ? accounts : [])];
    for (const code of all) if (typeof code === "string" && code !== "*") seen.add(code);
  }
}

export function accounts(): string[] {
  const own = session()?.accounts.filter((code) => code !== "*") ?? [];
  return [...new Set([...own, ...seen])].sort();
}

/** The account of a caller that has exactly one. */
export function onlyAccount(): string | null {
  const own = session()?.accounts ?? [];
  return own.length === 1 && own[0] !== "*" ? (own[0] ?? null) : null;
}
