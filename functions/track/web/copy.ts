// Copies the server's answer, element by element: only listed elements get into a page, so
// no answer can run a script there or change how the rest of the page looks.

const ELEMENTS = new Set(
  "a circle dd details div dl dt h1 h2 h3 li ol p path q section span summary svg time ul".split(
    " ",
  ),
);
const ATTRIBUTES = new Set(
  (
    "aria-current aria-hidden aria-label aria-live class cx cy d data-live data-offline " +
    "data-reconnecting data-sockets data-times data-title data-today data-version data-yesterday data-zone " +
    "datetime fill height hidden lang part r stroke stroke-linecap stroke-linejoin stroke-width " +
    "title translate viewBox width"
  ).split(" "),
);
const NAMESPACES = new Set(["http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"]);

export function copy(source: Element): Element | undefined {
  const { localName, namespaceURI } = source;
  if (!ELEMENTS.has(localName) || !NAMESPACES.has(namespaceURI ?? "")) return undefined;
  const element = document.createElementNS(namespaceURI, localName);
  for (const { name, value } of source.attributes) {
    if (ATTRIBUTES.has(name)) element.setAttribute(name, value);
  }
  if (localName === "a") link(element, source.getAttribute("href") ?? "");
  for (const child of source.childNodes) {
    if (child instanceof Text) element.append(child.data);
    const copied = child instanceof Element ? copy(child) : undefined;
    if (copied) element.append(copied);
  }
  return element;
}

function link(element: Element, url: string): void {
  if (!url.startsWith("https://")) return;
  element.setAttribute("href", url);
  element.setAttribute("rel", "noopener noreferrer");
}
