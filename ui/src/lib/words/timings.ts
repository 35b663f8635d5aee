// The times of connections as they are for everybody who changed nothing.

import type { Timings } from "../bindings/Timings";

export const DEFAULT_TIMINGS: Timings = {
  connect: 10_000,
  headers: 20_000,
  ping_every: 20_000,
  pong_within: 10_000,
  backoff_least: 1_000,
  backoff_early: 5_000,
  backoff_most: 300_000,
  keepalive_margin: 15_000,
  silence: 300_000,
  poll_every: 60_000,
};
