// One line with the result of an action; screen readers announce it.

let clear: ReturnType<typeof setTimeout> | undefined;

export function notice(text: string): void {
  const place = document.querySelector("#notice");
  if (!place) return;
  place.textContent = text;
  clearTimeout(clear);
  clear = setTimeout(() => {
    place.textContent = "";
  }, 12_000);
}

export function failure(error: unknown): void {
  notice(error instanceof Error ? error.message : "That failed.");
}
