import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `act` again and again until `signal` aborts: each starts `intervalMs` after the last started, or when
 * that one ended if later. An act under way is waited for.
 */
export async function pace(
  intervalMs: number,
  signal: AbortSignal,
  act: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const due = performance.now() + intervalMs;
    await act();
    await sleep(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => undefined);
  }
}

/** Aborts when standard input ends: the parent has closed it, or is dead. */
export function untilParentEnds(): AbortSignal {
  const controller = new AbortController();
  process.stdin.on("end", () => controller.abort()).resume();
  return controller.signal;
}
