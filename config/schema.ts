import { z } from "zod";
import { artifacts } from "./schema/artifacts.ts";
import { k3s } from "./schema/k3s.ts";
import { machine } from "./schema/machine.ts";
import { proxmox } from "./schema/proxmox.ts";
import { text } from "./values/complaint.ts";
import { judgeDnsLabel, judgeDnsName, judgeNotEmpty, judgeUserName } from "./values/names.ts";
import { judgeCidr, judgeIpv4 } from "./values/network.ts";
import { port } from "./values/port.ts";
import { judgeHttpsUrl } from "./values/url.ts";
import { judgeVersion } from "./values/version.ts";

const positive = z.number().min(0.001);
const positiveInteger = z.int().min(1);

/** A list of machines; how long it may be is one of the rules. */
const machineNames = (example: string) => z.array(text(judgeDnsLabel, example));

/** Numbers and booleans may be written bare; a flag's value is text in the end. */
const flags = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()]).transform(String),
);

const endpoint = z.strictObject({
  name: text(judgeDnsName, "k8s-apiserver.homelab.example")
    .exactOptional()
    .describe(
      "DNS name of the API. With `dns` it is required, and inside the zone. No machine's own name. Default: none, the API is reached by the address.",
    ),
  address: text(judgeIpv4, "10.0.20.99").describe(
    "Virtual IPv4 address, held by one of the load balancers; free so far, in their subnet. With `external` that of the balancer.",
  ),
  prefixLength: z.int().min(8).max(30).default(24).describe("Of that subnet."),
  port: port
    .exactOptional()
    .describe(
      "TCP port. Default: 6443; 8443 where the servers balance themselves, since they have 6443 already.",
    ),
  virtualRouterId: z
    .int()
    .min(1)
    .max(255)
    .exactOptional()
    .describe(
      "VRRP's number, which no other pair on the subnet has. Default: the last number of `address`.",
    ),
  external: z
    .boolean()
    .exactOptional()
    .describe(
      "Whether somebody else's balancer has the address and passes TCP on to the servers: Triad says what it needs, looks what comes through it, and never configures it. Without `loadBalancers`, kubeadm only. Default: false.",
    ),
});

const dns = z.strictObject({
  server: text(judgeIpv4, "10.0.20.53").describe("IPv4 address of the zone's primary server."),
  port: port.default(53).describe("TCP and UDP port."),
  zone: text(judgeDnsName, "homelab.example").describe("The zone that `endpoint.name` is in."),
  ttl: z.int().min(1).max(86400).default(60).describe("Of the record, in seconds."),
  tsig: z
    .strictObject({
      name: text(judgeDnsName, "triad").describe("The key's name, as the DNS server knows it."),
      algorithm: z
        .enum(["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"])
        .default("hmac-sha256")
        .describe("The key's algorithm, as the DNS server knows it."),
    })
    .describe("The key that signs updates; its secret is `dnsTsigSecret`."),
});

const ssh = z.strictObject({
  user: text(judgeUserName, "ops").describe(
    "The user; root, or one with sudo that asks no password.",
  ),
  port: port.default(22).describe("TCP port."),
  privateKeyFile: text(judgeNotEmpty, "~/.ssh/id_ed25519")
    .exactOptional()
    .describe("Private key without a passphrase, on the computer that runs Pulumi."),
  agent: z
    .boolean()
    .default(false)
    .describe("Whether to ask the agent at SSH_AUTH_SOCK. Needed if there is no private key."),
});

const apiServer = z.strictObject({
  extraArgs: flags
    .prefault({})
    .describe("Flags of kube-apiserver, without dashes. Those that Triad sets are refused."),
  auditPolicyFile: text(judgeNotEmpty, "homelab/audit-policy.yaml")
    .exactOptional()
    .describe("Audit policy, a file in the project; copied to every server."),
  oidc: z
    .strictObject({
      issuerUrl: text(judgeHttpsUrl, "https://login.homelab.example").describe("An https URL."),
      clientId: text(judgeNotEmpty, "kubernetes").describe("The client that tokens must be for."),
      usernameClaim: text(judgeNotEmpty, "email")
        .exactOptional()
        .describe("Default: that of kube-apiserver, sub."),
      groupsClaim: text(judgeNotEmpty, "groups").exactOptional().describe("Default: none."),
    })
    .exactOptional()
    .describe("Users by OpenID Connect."),
});

const preflight = z.strictObject({
  diskGiB: positive.default(20).describe("Free disk space, in GiB."),
  memoryMiB: positiveInteger.default(1700).describe("Memory, in MiB."),
  clockDriftSeconds: positive
    .default(5)
    .describe("The most that a clock may differ from that of the computer that runs Pulumi."),
  fsyncWarningMs: positive
    .default(10)
    .describe("Above this 99th percentile of a server's fsync there is a warning."),
});

/** What the engine keeps encrypted; the text is not looked at here. */
const encrypted = z.strictObject({ secure: z.string() }).exactOptional();

/**
 * The keys of a stack's config, without their namespace. Strict at every level; rules between keys
 * are in rules.ts. The reference is made of the descriptions.
 */
export const schema = z.strictObject({
  name: text(judgeDnsLabel, "homelab").describe("The cluster's name."),
  distribution: z.enum(["kubeadm", "k3s"]).describe("What the cluster is made with."),
  version: text(judgeVersion, "v1.34.2").describe(
    "Of Kubernetes, with k3s as in v1.33.5+k3s1. On a cluster that exists it is the one that runs: Triad does not upgrade.",
  ),
  machines: z
    .record(z.string(), machine)
    .describe(
      "Every computer that Triad may touch, by name. Describing one changes nothing on it.",
    ),
  servers: machineNames("k8s-master").describe(
    "The machines that are to be servers (control-plane nodes): the one list that you edit. Up to 7; an even number gets a warning.",
  ),
  initialServer: text(judgeDnsLabel, "k8s-master")
    .exactOptional()
    .describe(
      "The server that has, or will first have, the data. Default: the first of `servers`.",
    ),
  pauseAfter: text(judgeDnsLabel, "k8s-master-2")
    .exactOptional()
    .describe(
      "Stop after this one of `servers`, with a warning at every run; those behind it are left as they are. Remove the key to go on. Default: no pause.",
    ),
  workers: machineNames("k8s-node1").prefault([]).describe("The machines that are workers."),
  loadBalancers: machineNames("lb1")
    .prefault([])
    .describe(
      "The machines with HAProxy and keepalived, first choice first. One alone gets a warning. Default: none, so every server has both, unless `endpoint.external`.",
    ),
  endpoint: endpoint.describe("Name, address and port by which the API is reached."),
  dns: dns
    .exactOptional()
    .describe("A DNS server that takes signed updates for the endpoint's record. Default: none."),
  dnsTsigSecret: encrypted.describe(
    "Secret of the key `dns.tsig`, in base64. Required with `dns`.",
  ),
  ssh: ssh.describe("How machines are logged in to."),
  initialise: z
    .boolean()
    .default(false)
    .describe("Whether Triad may create a new cluster on the initial server if there is none."),
  artifacts: artifacts.prefault({}).describe("Where binaries and images come from."),
  podCidr: text(judgeCidr, "10.244.0.0/16")
    .exactOptional()
    .describe(
      "The pods' addresses; each machine gets a /24 of them. Default: 10.244.0.0/16; with k3s 10.42.0.0/16.",
    ),
  serviceCidr: text(judgeCidr, "10.96.0.0/12")
    .exactOptional()
    .describe("The Services' addresses. Default: 10.96.0.0/12; with k3s 10.43.0.0/16."),
  apiServer: apiServer.prefault({}).describe("What every server's kube-apiserver gets."),
  etcd: z
    .strictObject({
      extraArgs: flags
        .prefault({})
        .describe("Flags of etcd, without dashes. Those that Triad sets are refused."),
    })
    .prefault({})
    .describe("What every server's etcd gets."),
  k3s: k3s.exactOptional().describe("What holds for k3s only. Refused with kubeadm."),
  backup: z
    .strictObject({
      directory: text(judgeNotEmpty, "backups")
        .default("backups")
        .describe("On the computer that runs Pulumi, relative to the project."),
    })
    .prefault({})
    .describe("Where backups are kept."),
  onDestroy: z
    .enum(["leave", "forget", "wipe"])
    .default("leave")
    .describe(
      "What `pulumi destroy` does, from the `up` after you said it. leave: servers leave, but never the last one, and a cluster that Triad found runs on with its endpoint. forget: nothing at all. wipe: the last server goes too, with endpoint and record.",
    ),
  wipe: text(judgeDnsLabel, "homelab")
    .exactOptional()
    .describe("The cluster's `name` once more, without which `onDestroy: wipe` is refused."),
  preflight: preflight
    .prefault({})
    .describe("What a machine must have before anything is changed on it."),
  proxmox: proxmox
    .exactOptional()
    .describe("Where machines with `proxmox` are created. Default: none are."),
  proxmoxToken: encrypted.describe(
    "Token of Proxmox's API, user@realm!name=secret. Required with `proxmox`.",
  ),
  hostKeySeed: encrypted.describe(
    "Of this the SSH host keys of machines with `proxmox` are made: 32 characters or more that nobody guesses, and that never change. Required with `proxmox`.",
  ),
});

/** The config as written, with simple defaults filled in. */
export type ParsedConfig = z.output<typeof schema>;

/** The keys that must be encrypted; every other one must not. */
export const secretKeys: readonly string[] = ["dnsTsigSecret", "proxmoxToken", "hostKeySeed"];

/** The keys whose values are plain text; every other one is a boolean, a list or a map. */
export const textKeys: readonly string[] = [
  "name",
  "distribution",
  "version",
  "initialServer",
  "pauseAfter",
  "podCidr",
  "serviceCidr",
  "dnsTsigSecret",
  "onDestroy",
  "wipe",
  "proxmoxToken",
  "hostKeySeed",
];
