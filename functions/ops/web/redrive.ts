// Begins many again: counts first, asks, then starts a job.

import { post } from "./api.ts";
import { ask } from "./dialog.ts";
import { count, plural } from "./format.ts";
import { failure, notice } from "./notice.ts";
import { changed, currentRoute, go } from "./route.ts";
import type { Job, RedriveCount } from "./types.ts";

export interface Redrive {
  path: "/api/dlq/deliveries/replay" | "/api/dlq/events/replay";
  thing: [one: string, many: string];
  filter: Record<string, string>;
}

export async function redrive({ path, thing, filter }: Redrive): Promise<void> {
  try {
    const counted = await post<RedriveCount>(path, { ...filter, dry_run: true });
    if (counted.count === 0) return notice(`No such ${thing[1]} is there any more.`);
    const which = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
    const more = counted.is_complete ? "" : " or more";
    const confirmed = await ask({
      title: `Begin ${count(counted.count)}${more} again?`,
      text: `${plural(counted.count, ...thing)}${more} (${which.join(", ") || "all"}), five a second, the oldest first.`,
      action: `Begin ${count(counted.count)}${more} again`,
    });
    if (!confirmed) return;
    const job = await post<Job>(path, filter);
    notice("The job has started.");
    go(changed(currentRoute(), { job: job.id, open: null }));
  } catch (error) {
    failure(error);
  }
}
