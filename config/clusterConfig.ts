import type { ProxmoxConfig, VmConfig } from "./proxmoxConfig.ts";

/** What a cluster is made with. */
export type DistributionName = "kubeadm" | "k3s";

/** A value in k3s's config.yaml. */
export type FlagValue = string | number | boolean | readonly (string | number | boolean)[];

/** What deleting does, of one server or of the whole stack. */
export type OnDestroy = "leave" | "forget" | "wipe";

/** How Triad logs in to a machine. */
export interface SshLogin {
  /** The user; needs sudo without a password unless it is root. */
  readonly user: string;
  /** TCP port. */
  readonly port: number;
}

/** A computer reached by SSH. Describing one changes nothing on it. */
export interface MachineConfig {
  /** Its key under `machines`: the name used in logs, logical names and targets. */
  readonly name: string;
  /** Its name as a Kubernetes Node. Default: `name`. */
  readonly nodeName: string;
  /** IPv4 address, used for SSH and by the cluster. */
  readonly address: string;
  /** Its SSH host key, two words of an OpenSSH public key: type and base64. */
  readonly hostKey: string;
  /** Default: `user` and `port` of the config's `ssh`. */
  readonly ssh: SshLogin;
  /** The network interface that has `address`. Absent: looked up on the machine. */
  readonly interface?: string;
  /** Whether it is no more: nobody logs in to it, and what the cluster remembers of it goes. */
  readonly gone: boolean;
  /** The checkpoint that its disk went back to: another one is another life. Absent: it was not rolled back. */
  readonly rolledBack?: string;
  /** What a server is once it has left. Absent: it is cleaned. */
  readonly becomes?: "worker";
  /** Given for a virtual machine that Triad creates, and destroys when it has no role any more. */
  readonly vm?: VmConfig;
}

/** Name, address and port by which the API is reached. */
export interface EndpointConfig {
  /** DNS name; no machine's own. Default: `address`, and then nobody needs a DNS server. */
  readonly name: string;
  /** The virtual IPv4 address that one of the load balancers holds. */
  readonly address: string;
  /** Of the subnet that the endpoint and the load balancers share. Default: 24. */
  readonly prefixLength: number;
  /** TCP port. Default: 6443, or 8443 where the servers balance themselves. */
  readonly port: number;
  /** VRRP's, 1 to 255, unique on the subnet. Default: the last byte of `address`. */
  readonly virtualRouterId: number;
  /** Given where somebody else's balancer has the address; Triad looks at it and never configures it. */
  readonly external?: true;
}

/** The name of a key that signs DNS updates (TSIG, RFC 8945). Its secret is not in here. */
export interface TsigKey {
  readonly name: string;
  /** For instance `hmac-sha256`, the default. */
  readonly algorithm: string;
}

/** A DNS server that takes signed updates (RFC 2136). */
export interface DnsConfig {
  /** IPv4 address. */
  readonly server: string;
  /** TCP and UDP port. Default: 53. */
  readonly port: number;
  /** The zone that the endpoint's name is in. */
  readonly zone: string;
  /** Of the endpoint's record, in seconds. Default: 60. */
  readonly ttl: number;
  readonly tsig: TsigKey;
}

/** How to reach machines that don't say otherwise, and with which key. */
export interface SshConfig extends SshLogin {
  /** Path of a private key; may begin with `~/`. Absent: only the agent is asked. */
  readonly privateKeyFile?: string;
  /** Whether to ask the agent at SSH_AUTH_SOCK. Default: false. */
  readonly agent: boolean;
}

/** Where binaries and images come from. */
export interface ArtifactsConfig {
  /** URL under which lies `release/<version>/bin/linux/<arch>/`. Default: https://dl.k8s.io. */
  readonly binaries: string;
  /**
   * URL under which lies `<version>/` of k3s, its `+` written as %2B.
   * Default: https://github.com/k3s-io/k3s/releases/download.
   */
  readonly k3s: string;
  /** URL of an OCI registry that mirrors the public ones. Absent: these themselves. */
  readonly imageMirror?: string;
}

/** OpenID Connect for users of the API. */
export interface OidcConfig {
  /** An https URL. */
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly usernameClaim?: string;
  readonly groupsClaim?: string;
}

/** What every API server gets, the same on each server. */
export interface ApiServerConfig {
  /** Flags without their leading dashes. Default: none. */
  readonly extraArgs: Readonly<Record<string, string>>;
  /** An audit policy, as a path relative to the project. */
  readonly auditPolicyFile?: string;
  readonly oidc?: OidcConfig;
}

/** What every etcd gets, the same on each server. */
export interface EtcdConfig {
  /** Flags without their leading dashes. Default: none. */
  readonly extraArgs: Readonly<Record<string, string>>;
}

/** When k3s takes a snapshot of etcd, and where each server keeps its own. */
export interface SnapshotsConfig {
  /** Five fields of cron, in the server's time zone. Default: 0 2 * * *. */
  readonly schedule: string;
  /** The first part of a snapshot's file name. Default: etcd-snapshot. */
  readonly name: string;
  /** Whether they are zipped. Default: true. */
  readonly compress: boolean;
  /** How many scheduled ones each server keeps. Default: 14. */
  readonly retention: number;
  /** On every server. Default: /var/lib/triad/snapshots. */
  readonly directory: string;
}

/** What holds for k3s only. */
export interface K3sConfig {
  /** Keys of k3s's config.yaml, the same on each server. Default: none. */
  readonly config: Readonly<Record<string, FlagValue>>;
  readonly snapshots: SnapshotsConfig;
  /** Whether an agent is drained before it is promoted, not only cordoned. Default: false. */
  readonly drain: boolean;
  /** Workloads, `namespace/name`, that are not restarted after the conversion. Default: none. */
  readonly keepRunning: readonly string[];
}

/** Where backups are kept on the operator's machine. */
export interface BackupConfig {
  /** Relative to the project, or absolute. Default: backups. */
  readonly directory: string;
}

/** What a machine must have before Triad changes anything on it. */
export interface PreflightConfig {
  /** Free disk space. Default: 20. */
  readonly diskGiB: number;
  /** Memory. Default: 1700. */
  readonly memoryMiB: number;
  /** The most that its clock may differ from the operator's. Default: 5. */
  readonly clockDriftSeconds: number;
  /** Above this 99th percentile of fsync there is a warning. Default: 10. */
  readonly fsyncWarningMs: number;
}

/**
 * Everything that the stack's config says, with defaults filled in; deeply frozen and free of
 * secrets.
 */
export interface ClusterConfig {
  /** The cluster's name, a DNS label. */
  readonly name: string;
  readonly distribution: DistributionName;
  /** As the distribution writes it, for instance v1.34.2 or v1.33.5+k3s1. */
  readonly version: string;
  /** Every machine that Triad may touch, by name. */
  readonly machines: Readonly<Record<string, MachineConfig>>;
  /** Names of the machines that are to be servers, in the order of the list. */
  readonly servers: readonly string[];
  /** The server of the list after which to stop for now. Absent: all of them. */
  readonly pauseAfter?: string;
  /**
   * The server that has, or will first have, the data, and is not gone. Default: the first of
   * `servers` that is not.
   */
  readonly initialServer: string;
  /** Names of the machines that are workers. Default: none. */
  readonly workers: readonly string[];
  /**
   * Names of the machines with HAProxy and keepalived. Default: none, so the servers have them, unless the endpoint is
   * external.
   */
  readonly loadBalancers: readonly string[];
  readonly endpoint: EndpointConfig;
  /** Absent: the endpoint's name is somebody else's matter. */
  readonly dns?: DnsConfig;
  readonly ssh: SshConfig;
  /** Whether Triad may create a new cluster on the initial server. Default: false. */
  readonly initialise: boolean;
  readonly artifacts: ArtifactsConfig;
  /** The pods' addresses. Default: 10.244.0.0/16, with k3s 10.42.0.0/16. */
  readonly podCidr: string;
  /** The Services' addresses. Default: 10.96.0.0/12, with k3s 10.43.0.0/16. */
  readonly serviceCidr: string;
  readonly apiServer: ApiServerConfig;
  readonly etcd: EtcdConfig;
  /** Given exactly if the distribution is k3s. */
  readonly k3s?: K3sConfig;
  readonly backup: BackupConfig;
  /** Default: leave. */
  readonly onDestroy: OnDestroy;
  readonly preflight: PreflightConfig;
  /** Given where a machine is to be created. */
  readonly proxmox?: ProxmoxConfig;
}
