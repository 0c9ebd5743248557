// Answers of the API, as openapi.yaml describes them. Only the fields that the console shows.

export type Role = "admin" | "viewer" | "partner";

export interface Session {
  token: string;
  expires_at: string;
  user: string;
  role: Role;
  accounts: string[];
}

export interface Page<T> {
  items: T[];
  next_page?: string;
}

export interface Attempt {
  run: number;
  at: string;
  status: number | null;
  error: string | null;
  latency_ms: number;
  excerpt: string | null;
}

export interface Delivery {
  id: string;
  endpoint: string;
  account_code: string | null;
  order_id: string | null;
  version: number | null;
  kind: string | null;
  format: string | null;
  state: string;
  reason: string | null;
  run: number;
  attempts: number;
  last_attempt: Attempt | null;
  created_at: string;
  updated_at: string;
  next_attempt_at: string | null;
  replayed_at: string | null;
}

export interface DeliveryDetail extends Delivery {
  attempt_log: Attempt[];
  body: string | null;
}

export interface Job {
  id: string;
  state: "running" | "finished" | "stopped";
  started_by: string;
  started_at: string;
  ended_at: string | null;
  restarted: number;
  kind: "deliveries" | "events";
  endpoint: string | null;
  reason: string | null;
  source: string | null;
  account_code: string | null;
}

export interface RedriveCount {
  count: number;
  is_complete: boolean;
}

export interface InboundEvent {
  id: string;
  source: string;
  account_code: string | null;
  received_at: string;
  status: string;
  reason: string | null;
  settled_at: string | null;
  erased_at: string | null;
}

export interface EventDetail extends InboundEvent {
  size: number | null;
  redacted: boolean;
  body: string | null;
  body_encoding: "utf8" | "base64" | null;
}

export interface Endpoint {
  name: string;
  format: string | null;
  enabled: boolean | null;
  accounts: string[];
  state: "active" | "paused" | "recovering" | "disabled";
  reason: string | null;
  error_code: string | null;
  since: string | null;
  next_probe_at: string | null;
  failures: number;
  slow: boolean;
}

export type RotationStep = "begin" | "replace" | "finish";

export interface Rotated {
  endpoint: string;
  secret: string | null;
  both: boolean;
}

export interface TestResult {
  success: boolean;
  code: string;
  message: string;
  status: number | null;
  latencyMs: number | null;
  redirectTo: string | null;
  headers: Record<string, string> | null;
  excerpt: string | null;
}

export interface Checkpoint {
  at: string | null;
  activity: string | null;
  location: string | null;
}

export interface Shipment {
  awb: string;
  direction: "forward" | "return";
  carrierName: string | null;
  status: string;
  deliveryAttempts: number;
  eta: string | null;
  learnt: boolean;
  replaced: boolean;
  checkpoints: Checkpoint[];
}

export interface TimelineEntry {
  reportId: string;
  source: string;
  status: string | null;
  sourceStatus: string | null;
  awb: string | null;
  occurredAt: string;
  receivedAt: string;
  location: string | null;
  note: string | null;
  applied: boolean;
  reason: string | null;
  late: boolean;
  version: number | null;
  answer: { type: string; text: string | null; title: string | null } | null;
}

export interface OrderSummary {
  orderId: string;
  accountCode: string;
  awb: string | null;
  carrierName: string | null;
  status: string;
  orderStatus: string;
  version: number;
  updatedAt: string;
  eta: string | null;
  deliveryAttempts: number;
}

export interface Order extends OrderSummary {
  timeline: TimelineEntry[];
  shipments: Shipment[];
  next_page?: string;
}

export interface Message {
  id: string;
  message_status: string;
  sent_at: string;
  channel: string | null;
  template: string | null;
  error: { code: string | null; title: string | null } | null;
  rule: string | null;
  statuses: { status: string; at: string }[];
}

export interface DeliveryMetrics {
  total: number;
  success: number;
  errors: number;
  retries: number;
  dead: number;
  parked: number;
  averageResponseTime: number | null;
  p50ResponseTime: number | null;
  p95ResponseTime: number | null;
}

export type EventCounts = Record<
  "processed" | "ignored" | "unmatched" | "quarantined" | "failed",
  number
>;

export interface MetricsHour extends DeliveryMetrics {
  hour: string;
  sources: Record<string, EventCounts>;
}

export interface Metrics extends DeliveryMetrics {
  from: string;
  to: string;
  endpoints: Record<string, DeliveryMetrics>;
  sources: Record<string, EventCounts>;
  hours: MetricsHour[];
}

export interface QueueDepth {
  name: string;
  waiting: number;
  in_flight: number;
  delayed: number;
  overdue_since: string | null;
}

export interface DeniedHour {
  hour: string;
  source: string;
  hook: string | null;
  account_code: string | null;
  count: number;
  last: { at: string; address: string | null; reason: string }[];
}

export interface Run {
  id: string;
  kind: string;
  state: string;
  started_at: string;
  seconds: number | null;
  planned: number;
  batches: number;
  done: number;
  failed: number;
  failures: string[];
  asked: number;
  changed: number;
  unknown: number;
  sources: { source: string; gap_rate: string | null }[];
}

export interface StaleOrder {
  order_id: string;
  account_code: string;
  awb: string;
  unknown_since: string;
  stale_since: string;
}

/** A setting that cannot be used. */
export interface WrongSetting {
  parameter: string;
  problem: string;
}

export interface MessageFigures {
  sent: number;
  accepted: number;
  delivered: number;
  read: number;
  failed: number;
  replied: number;
  errors: { code: string | null; count: number }[];
}

export interface MessageStats {
  total: MessageFigures;
  templates: (MessageFigures & { template: string | null })[];
}

export interface AuditEntry {
  at: string;
  by: string;
  action: string;
  target: string;
  details: Record<string, unknown> | null;
}
