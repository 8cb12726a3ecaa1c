import type { Access, Balancers, ControlPlaneRequest, Machine } from "../request.ts";

/** Which server goes on alone, and what the rest of the cluster was. */
export interface RecoveryRequest
  extends Access, Pick<ControlPlaneRequest, "endpoint" | "keepRunning"> {
  /** The server that is left. */
  readonly survivor: Machine;
  /** The servers of the list but for the survivor: they are taken for lost. */
  readonly lost: readonly Machine[];
  readonly workers: readonly Machine[];
  readonly balancers: Balancers;
  /** A snapshot, or one of Triad's backups: a path on the operator's computer, else on the survivor. */
  readonly snapshot?: string;
}

/** Which script makes the machine's part. */
export function scriptOf({ distribution }: Pick<RecoveryRequest, "distribution">): string {
  return `${distribution}-recover.sh`;
}

/** To be added to whatever is mended by another attempt. */
export const again = "then run make recover again: it goes on from where this one ended";
