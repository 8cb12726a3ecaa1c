import { setTimeout as sleep } from "node:timers/promises";
import { ActError, type Progress } from "./act.ts";
import { reasonOf } from "./reasonOf.ts";

/** Either the condition holds and here is what it found, or it does not yet and this was seen. */
export type Look<Found> = { readonly found: Found } | { readonly seen: string };

export interface GateOptions {
  /** What is waited for, as the end of "waiting for …". */
  readonly what: string;
  readonly limitMs: number;
  readonly intervalMs?: number;
  readonly why: string;
  readonly cure: string;
  readonly progress: Progress;
}

/**
 * Waits until a look finds what it wants. A look that throws counts as not yet, unless it throws an
 * ActError: that ends the wait at once.
 *
 * @throws ActError with what was seen last, when the limit is over
 */
export async function gate<Found>(
  look: () => Promise<Look<Found>>,
  { what, limitMs, intervalMs = 500, why, cure, progress }: GateOptions,
): Promise<Found> {
  const deadline = Date.now() + limitMs;
  let told = "";
  for (;;) {
    const result = await look().catch((error: unknown): Look<Found> => {
      if (error instanceof ActError) throw error;
      return { seen: reasonOf(error) };
    });
    if ("found" in result) return result.found;
    if (Date.now() > deadline) {
      throw new ActError(
        `waited ${Math.round(limitMs / 1000)} s for ${what}; seen last: ${result.seen}`,
        why,
        cure,
      );
    }
    if (result.seen !== told) progress(`waiting for ${what}: ${result.seen}`);
    told = result.seen;
    await sleep(intervalMs);
  }
}
