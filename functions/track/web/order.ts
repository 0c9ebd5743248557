// An order and its link, as the server shows it.

import { copy } from "./copy.ts";
import { localize } from "./times.ts";

const PATIENCE_MS = 20_000;

export interface Link {
  /** The API's address, with a slash at its end. */
  readonly api: string;
  readonly account: string;
  readonly order: string;
  readonly token: string;
}

export interface Loaded {
  readonly tracker: HTMLElement;
  /** It is an order, not an error for good. */
  readonly isOrder: boolean;
}

/** What the server shows at this address; `undefined` if it is to be asked again later. */
export async function load(url: string): Promise<Loaded | undefined> {
  try {
    const response = await fetch(url, { cache: "no-store", signal: patience() });
    if (![200, 404, 410].includes(response.status)) return undefined;
    return read(await response.text(), response.ok);
  } catch {
    return undefined;
  }
}

function read(html: string, isOrder: boolean): Loaded | undefined {
  // Its scripts do not run, and it loads nothing.
  const source = new DOMParser().parseFromString(html, "text/html").querySelector(".tracker");
  const tracker = source ? copy(source) : undefined;
  if (!(tracker instanceof HTMLElement)) return undefined;
  localize(tracker);
  return { tracker, isOrder };
}

/** The address of a socket for this order, a status that says why there is none, or 0. */
export async function socketUrl(link: Link): Promise<string | number> {
  const { api, account, order, token } = link;
  try {
    const response = await fetch(`${api}api/realtime/ticket`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ account_code: account, order_id: order, token }),
      signal: patience(),
    });
    if (response.status !== 201) return response.status;
    const { url, ticket } = (await response.json()) as { url: string; ticket: string };
    return `${url}?ticket=${ticket}`;
  } catch {
    return 0;
  }
}

function patience(): AbortSignal {
  return AbortSignal.timeout(PATIENCE_MS);
}
