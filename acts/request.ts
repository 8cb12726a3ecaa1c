import * as z from "zod";

/** A machine that an act may reach by SSH. */
const machine = z.object({
  name: z.string(),
  nodeName: z.string(),
  address: z.string(),
  hostKey: z.string(),
  ssh: z.object({ user: z.string(), port: z.number() }),
});

/** What every act needs to find the living cluster: addresses and the way in, never a secret. */
const access = z.object({
  distribution: z.enum(["k3s", "kubeadm"]),
  identity: z.object({ privateKeyFile: z.string().optional(), agent: z.boolean() }),
  /** Where a living server may be found. */
  peers: z.array(machine),
});

/** The machines with HAProxy: named, or whoever is a server; or a balancer that somebody else runs, whom nobody tells. */
const balancers = z.union([z.array(machine), z.literal("servers"), z.literal("external")]);

/** A DNS server. */
const dns = z.object({ server: z.string(), port: z.number() });

const endpoint = z.object({ name: z.string(), address: z.string(), port: z.number() });

const flagValue = z.union([z.string(), z.number(), z.boolean()]);

/** Flags of the servers, without their leading dashes. */
export const flags = z.object({
  /** k3s's own, as in its configuration file; none on kubeadm. */
  server: z.record(z.string(), z.union([flagValue, z.array(flagValue)])),
  apiServer: z.record(z.string(), z.string()),
  etcd: z.record(z.string(), z.string()),
  audit: z.boolean(),
  /** Flags of the API server for whose sake alone no server that was found is refused or restarted. */
  later: z.array(z.string()).optional(),
});

/**
 * What a delete does: `leave` lets a server go as long as another one lives, `forget` does nothing at all, `wipe` lets
 * even the last one go.
 */
const onDestroy = z.enum(["leave", "forget", "wipe"]).default("leave");

export const backupRequest = access.extend({
  /** Directory on the operator's machine. */
  directory: z.string(),
  clusterName: z.string(),
  /** Whether there may be no cluster yet. */
  initialise: z.boolean(),
  /** The servers of the list: a change of it is worth a new backup. */
  servers: z.array(z.string()),
});

export const checkpointsRequest = access.extend({
  clusterName: z.string(),
  proxmox: z.object({ endpoint: z.string(), insecure: z.boolean() }),
  /** How many of each machine's are kept. */
  keep: z.number(),
  /** The servers that are virtual machines, with their numbers there. */
  guests: z.array(z.object({ machine, vmId: z.number() })),
  /** What the run may change on them: another one is worth a new checkpoint. */
  change: z.record(z.string(), z.unknown()),
});

export const controlPlaneRequest = access.extend({
  version: z.string(),
  initialise: z.boolean(),
  /** Where a new cluster comes about; only told where one may. */
  initialServer: machine.optional(),
  endpoint,
  podCidr: z.string(),
  serviceCidr: z.string(),
  clusterName: z.string(),
  flags,
  /** Whether SQLite must become etcd, so that there can be more than one server. */
  convert: z.boolean(),
  /** Workloads, as `namespace/name`, that are not restarted after a conversion. */
  keepRunning: z.array(z.string()),
  /** Names of machines that Triad has not created yet, so that they hold no cluster. */
  absent: z.array(z.string()).optional(),
  /** Machines that were rolled back, and to what: what was done since is done anew. */
  rolledBack: z.record(z.string(), z.string()).optional(),
});

export const membershipRequest = access.extend({
  version: z.string(),
  machine,
  /** A change of them restarts one server after the other. */
  flags,
  /** Text of the API servers' audit policy, empty for none. */
  auditPolicy: z.string(),
  /** Whether a worker that becomes a server is drained first. */
  drain: z.boolean(),
  balancers,
  endpoint,
  /** Whether the machine is no more: its member, Node and secrets go without it. */
  gone: z.boolean().default(false),
  /** What the machine is once it has left; absent: it is cleaned. An agent that k3s promoted is one again anyway. */
  becomes: z.enum(["worker"]).optional(),
  /** Which life of the machine this is: in another one, made anew or rolled back, it joins anew. */
  born: z.string().optional(),
  onDestroy,
});

export const clientsRequest = access.extend({
  endpoint,
  /** Whether they are pointed to the endpoint now: with one server nobody moves, and who was moved before stays there. */
  move: z.boolean().default(true),
});

export const workerRequest = clientsRequest.extend({
  machine,
  /** Whether the machine is no more: nothing is moved, its Node goes. */
  gone: z.boolean().default(false),
});

export const verificationRequest = access.extend({
  endpoint,
  /** Node names of the servers of the list: they must be voters by then. */
  servers: z.array(z.string()),
  initialServer: machine,
  workers: z.array(machine),
  /** On these every listed server is let in again. */
  balancers: balancers.optional(),
  /** Who is asked for the name of an endpoint that somebody else has; absent: whoever this computer asks. */
  dns: dns.optional(),
  /** k3s's own of etcd; absent on kubeadm. */
  snapshots: z.object({ schedule: z.string(), directory: z.string(), name: z.string() }).optional(),
});

/** The machines whose readiness check needs a credential. */
export const readinessRequest = access.extend({ loadBalancers: z.array(machine) });

export const endpointRequest = access.extend({
  endpoint,
  balancers,
  dns: dns.optional(),
});

/** What a delete does. */
export type OnDestroy = z.infer<typeof onDestroy>;
export type DistributionName = Access["distribution"];
export type Balancers = z.infer<typeof balancers>;
export type Machine = z.infer<typeof machine>;
export type Access = z.infer<typeof access>;
export type Flags = z.infer<typeof flags>;
export type Endpoint = z.infer<typeof endpoint>;
export type BackupRequest = z.infer<typeof backupRequest>;
export type CheckpointsRequest = z.infer<typeof checkpointsRequest>;
export type ControlPlaneRequest = z.infer<typeof controlPlaneRequest>;
/** One that may make a new cluster. */
export type InitialiseRequest = ControlPlaneRequest & { readonly initialServer: Machine };
export type MembershipRequest = z.infer<typeof membershipRequest>;
export type ClientsRequest = z.infer<typeof clientsRequest>;
export type WorkerRequest = z.infer<typeof workerRequest>;
export type VerificationRequest = z.infer<typeof verificationRequest>;
export type EndpointRequest = z.infer<typeof endpointRequest>;
