import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import lockfile from "proper-lockfile";

/** A lock that its holder has not renewed for this long belongs to a killed run, in ms. */
const stale = 30_000;

/** How often, 1 s apart, a lock that someone else holds is asked for again. */
const tries = 3_600;

/**
 * Does the work while holding the lock of a path (`<path>.lock` beside it, gone afterwards), so
 * that two runs do not fetch or build the same thing at once.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const release = await lockfile.lock(path, {
    realpath: false, // the path itself need not exist yet
    stale,
    retries: { retries: tries, factor: 1, minTimeout: 1_000, maxTimeout: 1_000 },
  });
  try {
    return await work();
  } finally {
    await release();
  }
}
