// Times in the viewer's zone. Without it, they are those of the shop's.

export function localize(tracker: HTMLElement): void {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!own || !differs(tracker.dataset.zone ?? "", own)) return;
  const write = writer(tracker);
  for (const list of tracker.querySelectorAll(".timeline")) timeline(list, write);
  for (const element of tracker.querySelectorAll<HTMLTimeElement>(".moment")) {
    const at = new Date(element.dateTime);
    element.textContent = `${write.day(at)}, ${write.time(at)}`;
    element.title = write.full(at);
  }
  const note = tracker.querySelector(".times");
  if (note) note.textContent = (tracker.dataset.times ?? "").replace("{zone}", own);
}

interface Writer {
  day(at: Date): string;
  time(at: Date): string;
  full(at: Date): string;
}

function differs(zone: string, own: string): boolean {
  const now = new Date();
  const clock = (timeZone: string) => now.toLocaleString("en", { timeZone });
  try {
    return clock(zone) !== clock(own);
  } catch {
    return false;
  }
}

function writer({ lang, dataset }: HTMLElement): Writer {
  const time = new Intl.DateTimeFormat(lang, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const date = new Intl.DateTimeFormat(lang, { day: "numeric", month: "long" });
  const full = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" });
  const today = new Date();
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  const names = new Map([
    [today.toDateString(), dataset.today],
    [yesterday.toDateString(), dataset.yesterday],
  ]);
  return {
    day: (at) => names.get(at.toDateString()) ?? date.format(at),
    time: (at) => time.format(at),
    full: (at) => full.format(at),
  };
}

function timeline(list: Element, write: Writer): void {
  let above = "";
  for (const entry of list.children) {
    const element = entry.querySelector("time");
    const heading = entry.querySelector<HTMLElement>(".day");
    if (!element || !heading) continue;
    const at = new Date(element.dateTime);
    element.textContent = write.time(at);
    element.title = write.full(at);
    heading.textContent = write.day(at);
    heading.hidden = above === at.toDateString();
    above = at.toDateString();
  }
}
