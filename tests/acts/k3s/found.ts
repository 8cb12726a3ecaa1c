import type { FoundConfig } from "../../../acts/k3s/foundConfig.ts";
import type { Flags, Machine, MembershipRequest } from "../../../acts/request.ts";

/** A server as `curl … | sh -s - server --disable=servicelb --write-kubeconfig-mode=644` makes it. */
export const installed: FoundConfig = {
  arguments: ["server", "--disable=servicelb", "--write-kubeconfig-mode=644"],
  environment: {},
  files: [],
  datastore: "sqlite",
  version: "v1.33.5+k3s1",
  auditPolicySha256: "",
  restartOwed: false,
  nodePassword: true,
};

/** What the config of that server says. */
export const flags: Flags = {
  server: {
    disable: ["servicelb"],
    "write-kubeconfig-mode": "644",
    "etcd-snapshot-schedule-cron": "0 2 * * *",
    "etcd-snapshot-retention": 14,
    "etcd-snapshot-compress": true,
    "etcd-snapshot-dir": "/var/lib/triad/snapshots",
  },
  apiServer: {},
  etcd: {},
  audit: false,
};

export const endpoint = { name: "k3s.home.arpa", address: "192.168.1.2", port: 8443 };
export const machine = { nodeName: "thinkpad-192-168-1-5", address: "192.168.1.5" };

/** What the membership of a server is told where nothing is unusual. */
export function membershipRequestOf(
  of: Machine,
  balancers: MembershipRequest["balancers"] = "servers",
): MembershipRequest {
  return {
    distribution: "k3s",
    identity: { agent: false },
    peers: [],
    version: installed.version,
    machine: of,
    flags,
    auditPolicy: "",
    drain: false,
    balancers,
    endpoint,
    gone: false,
    onDestroy: "leave",
  };
}

export function file(text: string, name = "config.yaml"): FoundConfig["files"][number] {
  return { path: `/etc/rancher/k3s/${name}`, text };
}
