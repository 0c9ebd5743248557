// One request after another for a view; an answer to an outdated one is dropped.

import type { ReactiveController, ReactiveControllerHost } from "lit";

export class Load<T> implements ReactiveController {
  data: T | null = null;
  error = "";
  busy = false;
  private request: AbortController | null = null;
  private readonly host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.request?.abort();
  }

  async run(ask: (signal: AbortSignal) => Promise<T>, keep = false): Promise<void> {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    if (!keep) this.data = null;
    this.error = "";
    this.busy = true;
    this.host.requestUpdate();
    try {
      const data = await ask(request.signal);
      if (this.request === request) this.data = data;
    } catch (error) {
      if (this.request === request) this.error = error instanceof Error ? error.message : "failed";
    }
    if (this.request !== request) return;
    this.busy = false;
    this.host.requestUpdate();
  }

  clear(): void {
    this.request?.abort();
    this.request = null;
    this.data = null;
    this.error = "";
    this.busy = false;
    this.host.requestUpdate();
  }
}
