// Views and their filters are in the fragment, which browsers send to no server.

export interface Route {
  view: string;
  query: URLSearchParams;
}

export function currentRoute(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { view: path || "overview", query: new URLSearchParams(query) };
}

export function href(view: string, query: Record<string, string | null> = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => !!pair[1]);
  const text = new URLSearchParams(given).toString();
  return text ? `#/${view}?${text}` : `#/${view}`;
}

/** The address of this route with these changes; null or empty removes a value. */
export function changed(route: Route, changes: Record<string, string | null>): string {
  const all = { ...Object.fromEntries(route.query), ...changes };
  return href(route.view, all);
}

export function go(address: string): void {
  location.hash = address;
}

/** As `go`, but the back button skips the present address. */
export function replace(address: string): void {
  history.replaceState(null, "", address);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
