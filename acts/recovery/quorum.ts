import { setTimeout as sleep } from "node:timers/promises";
import { ActError, type Progress } from "../act.ts";
import type { Machine } from "../request.ts";

/** An election of k3s's etcd takes 5 to 10 s, and has no quorum meanwhile. */
const looks = 8;
const intervalMs = 2_000;

/**
 * Looks for longer than an election takes.
 * @throws ActError when etcd has a quorum
 */
export async function hasNoQuorum(
  look: () => Promise<{ readonly members: number }>,
  { name }: Machine,
  progress: Progress,
  pauseMs = intervalMs,
): Promise<void> {
  progress(`seeing that etcd has no quorum on ${name}`);
  for (let count = 0; count < looks; count += 1) {
    if (count > 0) await sleep(pauseMs);
    if ((await look()).members === 0) continue;
    throw new ActError(
      `etcd on ${name} has a quorum`,
      "a recovery throws the other members away, and what they alone know",
      "a server that is no more is declared by triad:machines.<name>.gone: true, then pulumi up; one that is to leave is taken off triad:servers",
    );
  }
}
