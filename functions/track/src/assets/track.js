// Times in the viewer's zone. Without it, the page shows those of the shop's.
(() => {
  const { zone, today, yesterday, times } = document.body.dataset;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = new Date();
  const clock = (timeZone) => now.toLocaleString("en", { timeZone });
  try {
    if (!own || clock(zone) === clock(own)) return;
  } catch {
    return;
  }
  const language = document.documentElement.lang;
  const time = new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const date = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });
  const before = new Date(now);
  before.setDate(now.getDate() - 1);
  const named = new Map([
    [now.toDateString(), today],
    [before.toDateString(), yesterday],
  ]);
  const day = (at) => named.get(at.toDateString()) ?? date.format(at);
  const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
  for (const list of document.querySelectorAll(".timeline")) {
    let above = "";
    for (const entry of list.children) {
      const element = entry.querySelector("time");
      const at = new Date(element.dateTime);
      const heading = entry.querySelector(".day");
      element.textContent = time.format(at);
      element.title = full.format(at);
      heading.textContent = day(at);
      heading.hidden = above === at.toDateString();
      above = at.toDateString();
    }
  }
  for (const element of document.querySelectorAll(".moment")) {
    const at = new Date(element.dateTime);
    element.textContent = `${day(at)}, ${time.format(at)}`;
    element.title = full.format(at);
  }
  const note = document.querySelector(".times");
  if (note) note.textContent = times.replace("{zone}", own);
})();
