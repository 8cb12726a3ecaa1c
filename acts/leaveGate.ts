import { ActError, type Progress } from "./act.ts";
import { gate } from "./gate.ts";
import { leaveFacts } from "./leaveFacts.ts";
import { faultsOf, type LeaveFault, type Leaver } from "./leaveFaults.ts";
import type { LiveCluster } from "./liveCluster.ts";

/** How long what may pass by itself is waited for, in ms: a member that restarted a moment ago. */
const limitMs = 30_000;

/** What a refusal depends on besides the cluster. */
export interface LeaveOptions {
  /** The cluster's version. */
  readonly version: string;
  /** Whether the whole cluster is being wiped, with all that is in it. */
  readonly dataMayGo: boolean;
}

/**
 * Refuses to let a server leave where that would cost the quorum or data. The Lease is held.
 * @throws ActError with every reason
 */
export async function leaveGate(
  cluster: LiveCluster,
  leaver: Leaver,
  { version, dataMayGo }: LeaveOptions,
  progress: Progress,
): Promise<void> {
  const since = Date.now();
  await gate(
    async () => {
      const facts = await leaveFacts(cluster, [leaver], { version, leaseIsOurs: true });
      const faults = faultsOf(facts, leaver).filter(({ kind }) => kind !== "data" || !dataMayGo);
      if (faults.length === 0) return { found: true };
      const waits = faults.every(({ kind }) => kind === "passing") && Date.now() - since < limitMs;
      if (!waits) throw refusal(leaver, faults);
      return { seen: faults.map(({ seen }) => seen).join("; ") };
    },
    {
      what: `${leaver.name} to be free to leave`,
      // The refusal comes first, unless the cluster does not even answer.
      limitMs: 2 * limitMs,
      intervalMs: 2_000,
      why: "without an answer of the cluster nobody knows what it would lose",
      cure: `see journalctl -u ${cluster.distribution.units.server} on the other servers, then run this again`,
      progress,
    },
  );
}

function refusal({ name }: Leaver, faults: readonly LeaveFault[]): ActError {
  const all = (part: "seen" | "why" | "cure"): string =>
    [...new Set(faults.map((fault) => fault[part]))].join("; ");
  return new ActError(`${name} cannot leave: ${all("seen")}`, all("why"), all("cure"));
}
