import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `look` finds nothing wrong any more.
 * @throws with what was wrong last, after `limitSeconds`
 */
export async function eventually(
  limitSeconds: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000;
  for (;;) {
    const wrong = await look().catch((error: unknown) => String(error));
    if (wrong === undefined) return;
    if (Date.now() > deadline) throw new Error(`after ${String(limitSeconds)} s still: ${wrong}`);
    await sleep(500);
  }
}
