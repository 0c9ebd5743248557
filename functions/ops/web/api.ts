// Requests to the API with the session's token.

import { BASE, session, signOut } from "./session.ts";

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Query = Record<string, string | number | null | undefined>;

export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return send<T>("GET", path + text(query), undefined, signal);
}

export function post<T>(path: string, body?: unknown): Promise<T> {
  return send<T>("POST", path, body);
}

export function remove<T>(path: string): Promise<T> {
  return send<T>("DELETE", path);
}

function text(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const pairs = given.map(([name, value]) => [name, String(value)]);
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

async function send<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = { authorization: `Bearer ${session()?.token ?? ""}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const options: RequestInit = { method, headers, credentials: "omit", cache: "no-store" };
  if (body !== undefined) options.body = JSON.stringify(body);
  if (signal) options.signal = signal;
  const response = await fetch(BASE + path, options).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The server cannot be reached.");
  });
  if (response.status === 401) signOut();
  if (!response.ok) throw new ApiError(response.status, await reason(response));
  return (await response.json()) as T;
}

async function reason(response: Response): Promise<string> {
  if (response.status === 401) return "The session has ended. Sign in again.";
  if (response.status === 403) return "Your role or your accounts do not allow this.";
  if (response.status === 429) return "Too many requests. Wait a moment, then try again.";
  try {
    const body = (await response.json()) as { error?: { message?: string; field?: string } };
    const { message, field } = body.error ?? {};
    if (message) return field ? `${field}: ${message}` : message;
  } catch {
    // Not one of ours: API Gateway's.
  }
  return `The server answered ${response.status}.`;
}
