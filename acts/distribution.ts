import type { SshConnection } from "../ssh/connection.ts";
import type { ActContext, Progress } from "./act.ts";
import type { EtcdMember } from "./etcdMembers.ts";
import { k3s } from "./k3s/k3s.ts";
import { kubeadm } from "./kubeadm/kubeadm.ts";
import type { LiveCluster } from "./liveCluster.ts";
import type {
  ControlPlaneRequest,
  DistributionName,
  Machine,
  InitialiseRequest,
  MembershipRequest,
} from "./request.ts";

/**
 * What a control plane is made with: all in which k3s and kubeadm differ. Leases, gates, load balancers, the order of
 * things and their checks exist once and use this. Where only a script differs it has the same verbs and answers under
 * both names: `<distribution>-<what>.sh`.
 */
export interface Distribution {
  readonly name: DistributionName;
  /** systemd units, of which hints speak. */
  readonly units: { readonly server: string; readonly worker: string };
  /** TCP ports by which servers reach each other. */
  readonly serverPorts: readonly number[];

  /** The version to take in place of one that does not remove members well; undefined where it does. */
  cureOfRemoval(version: string): string | undefined;
  /** etcd's members; none while a server keeps its data elsewhere. */
  members(cluster: LiveCluster): Promise<EtcdMember[]>;
  /** Takes a member out of the list; its server must be stopped, or never come back. */
  removeMember(cluster: LiveCluster, member: EtcdMember): Promise<void>;
  /** Hands etcd's leadership from one voter to another. */
  moveLeader(cluster: LiveCluster, leader: EtcdMember, heir: EtcdMember): Promise<void>;
  /** Lets pods no longer reach the API by a server that stops; nothing where its API server sees to that as it ends. */
  hideServer(cluster: LiveCluster, machine: Machine): Promise<void>;

  /** A living cluster becomes one that others can join: by its endpoint, with a datastore that has members. */
  adopt(cluster: LiveCluster, request: ControlPlaneRequest, context: ActContext): Promise<void>;
  /** A new cluster on the initial server, which holds no server's data. */
  initialise(
    connection: SshConnection,
    request: InitialiseRequest,
    progress: Progress,
  ): Promise<void>;
  /** Makes a machine a server. Its caller holds the Lease and has passed the gates. */
  join(
    cluster: LiveCluster,
    connection: SshConnection,
    request: MembershipRequest,
    progress: Progress,
  ): Promise<void>;
  /** A server that was found gets what one that joins has; on create nothing of it restarts. */
  adjust(
    cluster: LiveCluster,
    connection: SshConnection,
    request: MembershipRequest,
    context: ActContext,
  ): Promise<void>;
}

const distributions: Readonly<Record<DistributionName, Distribution>> = { k3s, kubeadm };

export function distributionOf(name: DistributionName): Distribution {
  return distributions[name];
}
