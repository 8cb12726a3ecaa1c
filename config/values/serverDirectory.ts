import { posix } from "node:path";
import type { Complaint } from "./complaint.ts";

/** Where k3s has its datastore; a server that leaves or is restored loses it. */
const DATASTORE = "/var/lib/rancher/k3s/server/db";

/** Refuses what is no directory of a server that outlives its datastore. */
export function judgeServerDirectory(value: string): Complaint | undefined {
  const cure = "give an absolute path of its own, for instance /var/lib/triad/snapshots";
  if (!/^\/[\w./-]+$/.test(value)) return { problem: `"${value}" is not an absolute path`, cure };
  if (posix.normalize(value) !== value || value.endsWith("/")) {
    const tidy = posix.normalize(value).replace(/\/$/, "");
    return { problem: `"${value}" can be said shorter`, cure: `did you mean ${tidy}?` };
  }
  if (value !== DATASTORE && !value.startsWith(`${DATASTORE}/`)) return undefined;
  return { problem: `${value} goes when the datastore is wiped`, cure };
}
