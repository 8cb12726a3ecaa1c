/** A probe starts this long after the last one started, or when that one ended if later. */
export const probeIntervalMs = 100;

/** Likewise for the writer: more than five objects a second also when each takes a while. */
export const writeIntervalMs = 125;

/** An attempt that has no full answer after this long has failed. */
export const timeoutMs = 1000;
