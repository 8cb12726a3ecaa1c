import { setTimeout as sleep } from "node:timers/promises";
import type { Progress } from "../act.ts";
import { reasonOf } from "../reasonOf.ts";
import type { BehindEndpoint } from "./gates.ts";
import { lookDirectly, whoAnswers } from "./lookThrough.ts";

/** One connection while a server stopped: who answered, or why nobody did. */
export interface Glimpse {
  /** When it began, in ms since the stop did. */
  readonly atMs: number;
  /** Absent where somebody unknown or nobody answered. */
  readonly by?: string;
  /** Why it ended without an answer. */
  readonly failure?: string;
}

/** The time between two of them, in ms: often enough to see a check of 2 s at work, and no load. */
const intervalMs = 200;

/**
 * Stops a server, and watches meanwhile what comes through the endpoint: whether the balancer takes a server out that is
 * not ready can be seen at no other time.
 *
 * @param apiPort of the API on the machines themselves, 6443 unless told
 */
export async function watchStop<Answer>(
  { endpoint, machine, peers }: BehindEndpoint,
  progress: Progress,
  stop: () => Promise<Answer>,
  apiPort?: number,
): Promise<Answer> {
  const direct = await lookDirectly({
    machines: peers,
    ...(apiPort === undefined ? {} : { apiPort }),
  });
  const began = Date.now();
  const stopping = stop();
  const over = stopping.then(
    () => true,
    () => true,
  );
  const seen: Glimpse[] = [];
  do {
    const atMs = Date.now() - began;
    seen.push(
      await whoAnswers(endpoint, direct).then(
        (by) => ({ atMs, ...(by === undefined ? {} : { by }) }),
        (error: unknown) => ({ atMs, failure: reasonOf(error) }),
      ),
    );
  } while (!(await Promise.race([over, sleep(intervalMs, false)])));
  progress(stopReport(machine.name, seen));
  return await stopping;
}

/** What was seen, as a line for the operator; a warning where clients felt it. */
export function stopReport(name: string, seen: readonly Glimpse[]): string {
  const failures = seen.flatMap(({ failure }) => failure ?? []);
  const last = seen.findLast(({ by }) => by === name);
  const taken =
    last === undefined
      ? `none led to ${name}`
      : `the last that led to ${name} came ${(last.atMs / 1_000).toFixed(1)} s after it was told to end`;
  const all = `while ${name} stopped, ${seen.length} connections were made through the endpoint, ${taken}`;
  const [reason] = failures;
  if (reason === undefined) return `${all}; each was answered`;
  return (
    `warning: ${all}; ${failures.length} ended without an answer (${reason}): ` +
    "the balancer's health check does not ask /readyz, or asks too seldom, or it does not try another server: see the text that make verify prints"
  );
}
