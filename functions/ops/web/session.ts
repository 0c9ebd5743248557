// The session of the person at this tab. The token is in sessionStorage, the password nowhere.

import type { Session } from "./types.ts";

const KEY = "waypost.session";
const IDLE_MS = 30 * 60_000;
/** A token that ends sooner is renewed when the person does something. */
const RENEW_MS = 20 * 60_000;

/** The API is beside the page, also where a path precedes both. */
export const BASE = location.pathname.replace(/\/console$/, "");

type Listener = () => void;

let current: Session | null = read();
let activeAt = Date.now();
let renewing = false;
const listeners = new Set<Listener>();

function read(): Session | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return isSession(stored) && Date.parse(stored.expires_at) > Date.now() ? stored : null;
  } catch {
    return null;
  }
}

function isSession(value: unknown): value is Session {
  return typeof value === "object" && value !== null && "token" in value && "expires_at" in value;
}

function set(session: Session | null): void {
  current = session;
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

export function session(): Session | null {
  return current;
}

export function isAdmin(): boolean {
  return current?.role === "admin";
}

export function onSession(listener: Listener): void {
  listeners.add(listener);
}

export function signOut(): void {
  if (current) set(null);
}

/** Returns why the sign-in failed, or null. */
export async function signIn(name: string, password: string): Promise<string | null> {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  const credentials = btoa(String.fromCharCode(...bytes));
  let response: Response;
  try {
    response = await open(`Basic ${credentials}`);
  } catch {
    return "The server cannot be reached.";
  }
  if (response.ok) {
    activeAt = Date.now();
    set((await response.json()) as Session);
    return null;
  }
  if (response.status === 401) return "Wrong name or password.";
  if (response.status === 429) return "Too many tries. Wait a minute.";
  return `The server answered ${response.status}. Try again.`;
}

function open(authorization: string): Promise<Response> {
  const headers = { authorization };
  return fetch(`${BASE}/api/session`, { method: "POST", headers, credentials: "omit" });
}

async function renew(): Promise<void> {
  if (!current || renewing) return;
  renewing = true;
  try {
    const response = await open(`Bearer ${current.token}`);
    if (response.status === 401) signOut();
    else if (response.ok && current) set((await response.json()) as Session);
  } catch {
    // The next action tries again.
  } finally {
    renewing = false;
  }
}

function acted(): void {
  const now = Date.now();
  if (!current) return;
  if (now - activeAt > IDLE_MS) {
    signOut();
    return;
  }
  activeAt = now;
  if (Date.parse(current.expires_at) - now < RENEW_MS) void renew();
}

function check(): void {
  const now = Date.now();
  const isOver = current && (now - activeAt > IDLE_MS || Date.parse(current.expires_at) <= now);
  if (isOver) signOut();
}

export function watchActivity(): void {
  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, acted, { capture: true, passive: true });
  }
  addEventListener("visibilitychange", check);
  setInterval(check, 15_000);
}
