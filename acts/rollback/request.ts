import type { Checkpoint } from "../checkpoint/naming.ts";
import type { RecoveryRequest } from "../recovery/request.ts";
import type { MembershipRequest } from "../request.ts";

/** Which server's disk goes back, and what the rest of the cluster is. */
export interface RollbackRequest {
  readonly clusterName: string;
  /** Directory on the operator's machine for a backup of what is lost. */
  readonly directory: string;
  /** As the server would leave. */
  readonly membership: MembershipRequest;
  /** As it would go on alone, should it be alone. */
  readonly recovery: RecoveryRequest;
  readonly proxmox: { readonly endpoint: string; readonly insecure: boolean };
  /** The server's number at Proxmox. */
  readonly vmId: number;
  /** Name of the checkpoint. Default: the newest. */
  readonly checkpoint?: string;
}

/** Whether the cluster goes on without the server. */
export type Standing =
  /** Others are members of its etcd, and have a quorum without it. */
  | { readonly kind: "peers"; readonly others: string }
  /** It is the cluster. */
  | { readonly kind: "alone" };

/** What is about to be done, for a person to agree to. */
export interface Intent {
  /** The guest, for people. */
  readonly guest: string;
  readonly checkpoint: Checkpoint;
  readonly standing: Standing;
}

/** Asks the person; resolves only with their consent. */
export type Consent = (intent: Intent) => Promise<void>;
