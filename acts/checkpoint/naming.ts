import type { Snapshot } from "../../proxmox/snapshots.ts";

/** Of whom a checkpoint is, and how many servers the cluster had then: one of several can't go on alone from it. */
export interface CheckpointNote {
  readonly machine: string;
  readonly cluster: string;
  readonly servers: number;
}

type Whose = Pick<CheckpointNote, "machine" | "cluster">;

/** A snapshot that Triad took, as its name and its description both say. */
export interface Checkpoint extends Snapshot {
  readonly servers: number;
}

const name = /^triad-\d{8}T\d{6}Z$/;
const note = /^Triad checkpoint of (\S+) in (\S+); servers: (\d+);/;
const unfinished = /^Triad checkpoint, not finished: of (\S+) in (\S+)$/;

/** The name of one that is taken now, which Proxmox takes as such: `triad-20260101T200000Z`. */
export function checkpointName(now: Date): string {
  return `triad-${now.toISOString().replace(/[-:]|\.\d+/g, "")}`;
}

/** What stands beside it at Proxmox. */
export function checkpointNote({ machine, cluster, servers }: CheckpointNote): string {
  return (
    `Triad checkpoint of ${machine} in ${cluster}; servers: ${servers}; before a change of its cluster. ` +
    "Triad deletes it once there are newer ones; change this text to keep it."
  );
}

/** What stands beside it until it is known to be good; one that keeps it can't be gone back to, and is deleted. */
export function unfinishedNote({ machine, cluster }: Whose): string {
  return `Triad checkpoint, not finished: of ${machine} in ${cluster}`;
}

/** Of a machine's snapshots those that Triad took of it in this cluster, the oldest first. */
export function checkpointsAmong(
  snapshots: readonly Snapshot[],
  { machine, cluster }: Whose,
): Checkpoint[] {
  return snapshots.flatMap((snapshot) => {
    const { description, isWhole } = snapshot;
    const [, of, within, servers] = note.exec(description) ?? unfinished.exec(description) ?? [];
    if (!name.test(snapshot.name) || of !== machine || within !== cluster) return [];
    const isFinished = isWhole && servers !== undefined;
    return [{ ...snapshot, servers: Number(servers ?? 0), isWhole: isFinished }];
  });
}

/** Those that are too many: whatever was cut off, and of the others all but the newest. */
export function superfluous(checkpoints: readonly Checkpoint[], keep: number): Checkpoint[] {
  const whole = checkpoints.filter(({ isWhole }) => isWhole);
  const kept = whole.slice(Math.max(0, whole.length - keep));
  return checkpoints.filter((one) => !kept.includes(one));
}
