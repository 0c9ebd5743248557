// Accounts that the console has seen, as suggestions: the API lists none for a user of all accounts.

import { session } from "./session.ts";

/** How often each was seen. */
const seen = new Map<string, number>();

export function learnAccounts(items: readonly unknown[]): void {
  for (const item of items) {
    if (typeof item !== "object" || item === null) continue;
    const { account_code: one, accounts } = item as { account_code?: unknown; accounts?: unknown };
    const all = [one, ...(Array.isArray(accounts) ? accounts : [])];
    for (const code of all) {
      if (typeof code === "string" && code !== "*") seen.set(code, (seen.get(code) ?? 0) + 1);
    }
  }
}

/** The busiest first. */
export function accounts(): string[] {
  const own = session()?.accounts.filter((code) => code !== "*") ?? [];
  const times = (code: string) => seen.get(code) ?? 0;
  const all = [...new Set([...own, ...seen.keys()])].sort();
  return all.sort((one, other) => times(other) - times(one));
}

/** The account of a caller that has exactly one. */
export function onlyAccount(): string | null {
  const own = session()?.accounts ?? [];
  return own.length === 1 && own[0] !== "*" ? (own[0] ?? null) : null;
}
