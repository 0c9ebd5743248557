// Makes a tree like another one, and touches only what differs: focus, scroll position and open parts
// stay, and a screen reader hears of the headline only if it is a new one.

export function merge(shown: Element, next: Element): void {
  attributes(shown, next);
  const coming = [...next.childNodes];
  let place = shown.firstChild;
  for (const [index, child] of coming.entries()) {
    const found = partner(place, child, coming.slice(index + 1));
    if (!found) {
      shown.insertBefore(child, place);
      continue;
    }
    while (place && place !== found) place = removed(place);
    if (found instanceof Element) merge(found, child as Element);
    else if (found.nodeValue !== child.nodeValue) found.nodeValue = child.nodeValue;
    place = found.nextSibling;
  }
  while (place) place = removed(place);
}

/** The node to turn into `child`. None, if the ones before it are still needed. */
function partner(from: ChildNode | null, child: ChildNode, later: ChildNode[]): ChildNode | null {
  const needed = new Set(later.map(kind));
  for (let node = from; node; node = node.nextSibling) {
    if (kind(node) === kind(child)) return node;
    if (needed.has(kind(node))) return null;
  }
  return null;
}

function kind(node: ChildNode): string {
  return node instanceof Element ? `${node.localName}.${node.classList[0] ?? ""}` : node.nodeName;
}

function removed(node: ChildNode): ChildNode | null {
  const after = node.nextSibling;
  node.remove();
  return after;
}

/** Whether a part is open is the reader's. */
function attributes(shown: Element, next: Element): void {
  for (const { name } of [...shown.attributes]) {
    if (name !== "open" && !next.hasAttribute(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
}
