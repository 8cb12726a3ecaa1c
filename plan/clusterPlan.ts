import type {
  ArtifactsConfig,
  BackupConfig,
  ClusterConfig,
  DistributionName,
  DnsConfig,
  EndpointConfig,
  MachineConfig,
  OnDestroy,
  PreflightConfig,
  SnapshotsConfig,
  TsigKey,
} from "../config/clusterConfig.ts";
import { deepFreeze } from "../config/deepFreeze.ts";
import type { ProxmoxConfig } from "../config/proxmoxConfig.ts";
import { untilPause } from "../config/untilPause.ts";
import { priorityAt } from "./priorities.ts";
import { type ServerFlags, serverFlags } from "./serverFlags.ts";
import { warnings } from "./warnings.ts";

/** What a machine is in the cluster. */
export type Role = "server" | "worker" | "load-balancer";

/** A machine and its role. What is gone is not created: it has no `vm`. */
export interface MachinePlan extends MachineConfig {
  readonly role: Role;
}

/** A load balancer; of those alive, the one of the highest priority takes the address first. */
export interface LoadBalancerPlan extends MachinePlan {
  /** VRRP's, 1 to 254, no two alike. */
  readonly priority: number;
}

/** The endpoint's A record, and the key's name with which it is written. */
export interface DnsRecordPlan {
  /** IPv4 address of the DNS server. */
  readonly server: string;
  readonly port: number;
  readonly zone: string;
  readonly name: string;
  readonly address: string;
  /** In seconds. */
  readonly ttl: number;
  readonly tsig: TsigKey;
}

/**
 * What the cluster is to be: a pure function of the config, deeply frozen. Machines that are gone keep their place in the
 * lists, since what is registered for them must be known to be gone before it can be forgotten; who needs those that
 * live asks for {@link present}.
 */
export interface ClusterPlan {
  readonly name: string;
  readonly distribution: DistributionName;
  /** As the distribution writes it, for instance v1.34.2 or v1.33.5+k3s1. */
  readonly version: string;
  /** Whether Triad may create a new cluster on the initial server. */
  readonly initialise: boolean;
  /** Never one that is gone. */
  readonly initialServer: MachinePlan;
  /** In the order of the list, up to the pause if there is one. */
  readonly servers: readonly MachinePlan[];
  /** Names of the servers behind the pause: left as they are, so none of them is one yet. */
  readonly waiting: readonly string[];
  readonly workers: readonly MachinePlan[];
  /** Where they are the servers' own, these are the servers; none where somebody else balances (`endpoint.external`). */
  readonly loadBalancers: readonly LoadBalancerPlan[];
  /** Whether every server has HAProxy and keepalived, as no machines are named for them and nobody else balances. */
  readonly ownLoadBalancers: boolean;
  /**
   * Where a live server may be found: every described machine that is no load balancer, sorted by
   * name. It has no roles, so that it stays the same when a described machine changes its role.
   */
  readonly peers: readonly MachineConfig[];
  /** Those with a role, each once: load balancers if named, then servers, then workers. */
  readonly machines: readonly MachinePlan[];
  readonly endpoint: EndpointConfig;
  readonly dnsRecord?: DnsRecordPlan;
  /** Whether workers are pointed to the endpoint: adopting one server moves nobody. */
  readonly moveWorkers: boolean;
  /** Whether the datastore must be etcd, so SQLite is converted: k3s, more than one server. */
  readonly convert: boolean;
  /** Workloads, `namespace/name`, that are not restarted after the conversion. */
  readonly keepRunning: readonly string[];
  /** Whether a worker that becomes a server is drained first, not only cordoned. */
  readonly drain: boolean;
  /** k3s's own snapshots of etcd; absent with kubeadm. */
  readonly snapshots?: SnapshotsConfig;
  /** What is allowed but worth knowing at every run. */
  readonly warnings: readonly string[];
  readonly ssh: SshPlan;
  readonly artifacts: ArtifactsConfig;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** With which every server's API server and etcd run. */
  readonly flags: ServerFlags;
  /** An audit policy, as a path relative to the project. */
  readonly auditPolicyFile?: string;
  readonly backup: BackupConfig;
  readonly onDestroy: OnDestroy;
  readonly preflight: PreflightConfig;
  /** Where machines with a `vm` are created. */
  readonly proxmox?: ProxmoxConfig;
}

/** The key with which Triad logs in everywhere. */
export interface SshPlan {
  /** Path of a private key; may begin with `~/`. */
  readonly privateKeyFile?: string;
  readonly agent: boolean;
}

/**
 * Says who is what, in which order, with which priorities and rules. Asks nothing but the config.
 * @throws Error if a name in a role is not described, which a parsed config can't have.
 */
export function planCluster(config: ClusterConfig): ClusterPlan {
  const servers = untilPause(config.servers, config.pauseAfter).map((name) =>
    machinePlan(config, name, "server"),
  );
  const workers = config.workers.map((name) => machinePlan(config, name, "worker"));
  const named = config.loadBalancers.map((name) => machinePlan(config, name, "load-balancer"));
  const ownLoadBalancers = named.length === 0 && config.endpoint.external !== true;
  const { privateKeyFile, agent } = config.ssh;
  const { auditPolicyFile } = config.apiServer;
  const { snapshots, keepRunning = [], drain = false } = config.k3s ?? {};

  return deepFreeze({
    name: config.name,
    distribution: config.distribution,
    version: config.version,
    initialise: config.initialise,
    initialServer: machinePlan(config, config.initialServer, "server"),
    servers,
    waiting: config.servers.slice(servers.length),
    workers,
    loadBalancers: (ownLoadBalancers ? servers : named).map((machine, position) => ({
      ...machine,
      priority: priorityAt(position),
    })),
    ownLoadBalancers,
    peers: peers(config),
    machines: [...named, ...servers, ...workers],
    endpoint: config.endpoint,
    ...(config.dns === undefined ? {} : { dnsRecord: dnsRecord(config.dns, config.endpoint) }),
    moveWorkers: servers.length > 1,
    convert: config.distribution === "k3s" && servers.length > 1,
    keepRunning,
    drain,
    ...(snapshots === undefined ? {} : { snapshots }),
    warnings: warnings(config),
    ssh: { ...(privateKeyFile === undefined ? {} : { privateKeyFile }), agent },
    artifacts: config.artifacts,
    podCidr: config.podCidr,
    serviceCidr: config.serviceCidr,
    flags: serverFlags(config),
    ...(auditPolicyFile === undefined ? {} : { auditPolicyFile }),
    backup: config.backup,
    onDestroy: config.onDestroy,
    preflight: config.preflight,
    ...(config.proxmox === undefined ? {} : { proxmox: config.proxmox }),
  });
}

function machinePlan(config: ClusterConfig, name: string, role: Role): MachinePlan {
  const machine = config.machines[name];
  if (machine === undefined) throw new Error(`"${name}" is not described under machines`);
  const { vm, ...existing } = machine;
  return { ...existing, ...(vm === undefined || machine.gone ? {} : { vm }), role };
}

function peers(config: ClusterConfig): MachineConfig[] {
  return Object.values(config.machines)
    .filter((machine) => !config.loadBalancers.includes(machine.name))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function dnsRecord(dns: DnsConfig, endpoint: EndpointConfig): DnsRecordPlan {
  return { ...dns, name: endpoint.name, address: endpoint.address };
}
