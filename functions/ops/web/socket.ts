// Changes of an account as they happen, where the installation has live updates.

import { post } from "./api.ts";

const PING_MS = 30_000;
const AGAIN_MS = 5_000;

export interface OrderUpdate {
  type: "order_update";
  orderId: string;
  status: string;
  previousStatus: string | null;
  version: number;
  timestamp: string;
}

export interface MessageUpdate {
  type: "message_status_update";
  messageId: string;
  orderId: string | null;
  status: string;
  timestamp: string;
}

export type Update = OrderUpdate | MessageUpdate;

export interface Listener {
  onUpdate: (update: Update) => void;
  /** Open, or not for now. */
  onState: (isOpen: boolean) => void;
}

/** Opens a socket, again after each break, until `close`. Without live updates there is none. */
export class AccountSocket {
  private readonly account: string;
  private readonly listener: Listener;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ping: ReturnType<typeof setInterval> | undefined;
  private isOver = false;

  constructor(account: string, listener: Listener) {
    this.account = account;
    this.listener = listener;
    void this.open();
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    clearInterval(this.ping);
    this.socket?.close();
  }

  private async open(): Promise<void> {
    try {
      const body = { account_code: this.account };
      const { ticket, url } = await post<{ ticket: string; url: string }>(
        "/api/realtime/ticket",
        body,
      );
      if (!this.isOver) this.connect(`${url}?ticket=${encodeURIComponent(ticket)}`);
    } catch {
      // 404: the installation has none. Whatever it is, the view asks instead.
      this.listener.onState(false);
    }
  }

  private connect(address: string): void {
    const socket = new WebSocket(address);
    this.socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      socket.send(JSON.stringify({ type: "register" }));
      this.ping = setInterval(() => socket.send('{"type":"ping"}'), PING_MS);
    };
    socket.onmessage = ({ data }) => this.receive(String(data));
    socket.onclose = () => {
      clearInterval(this.ping);
      if (this.isOver) return;
      this.listener.onState(false);
      // A handshake that was refused, as from a site that is not allowed, would be refused again.
      if (wasOpen) this.timer = setTimeout(() => void this.open(), AGAIN_MS * (1 + Math.random()));
    };
  }

  private receive(text: string): void {
    const frame = JSON.parse(text) as { type: string };
    if (frame.type === "registered") this.listener.onState(true);
    const isUpdate = frame.type === "order_update" || frame.type === "message_status_update";
    if (isUpdate) this.listener.onUpdate(frame as Update);
  }
}
