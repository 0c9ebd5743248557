// The page of an order. Without this script it is complete, but does not change by itself.

import { Live } from "./live.ts";
import { localize } from "./times.ts";
import { TrackerView } from "./view.ts";

function begin(tracker: HTMLElement): void {
  localize(tracker);
  if (tracker.dataset.version === undefined) return;
  const [account = "", order = ""] = location.pathname.split("/").slice(-2).map(decodeURIComponent);
  const query = new URLSearchParams(location.search);
  const token = query.get("t") ?? "";
  query.set("embed", "page");
  // The API may be below a path.
  const api = new URL("../../", location.href).href;
  const url = `${location.pathname}?${query}`;
  const shown = (next: HTMLElement) => {
    document.title = next.dataset.title ?? document.title;
  };
  new Live(new TrackerView({ api, account, order, token }, url, shown, tracker)).start();
}

const tracker = document.querySelector<HTMLElement>(".tracker");
if (tracker) begin(tracker);
