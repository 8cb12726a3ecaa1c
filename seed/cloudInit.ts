import { stringify } from "yaml";
import type { VmNetwork } from "../config/proxmoxConfig.ts";
import type { HostKey } from "./hostKey.ts";

/** What a machine is to be when it boots for the first time. */
export interface FirstBoot {
  /** Its name as a Kubernetes Node. */
  readonly nodeName: string;
  /** IPv4 address. */
  readonly address: string;
  readonly network: VmNetwork;
  /** Its number in the Proxmox cluster. */
  readonly vmId: number;
  /** Who logs in; needs no password for sudo. */
  readonly user: string;
  readonly authorizedKeys: readonly string[];
  readonly packages: readonly string[];
  readonly hostKey: HostKey;
}

/** The files of cloud-init's data source NoCloud, by their names. Secret, since the host key is in it. */
export interface NoCloudSeed {
  readonly "meta-data": string;
  readonly "user-data": string;
  readonly "network-config": string;
}

/**
 * What cloud-init is told.
 * @see https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
 */
export function seedOf(boot: FirstBoot): NoCloudSeed {
  return {
    // A clone remembers the template's instance; cloud-init begins anew when this is another one.
    "meta-data": stringify({
      "instance-id": `triad-${boot.vmId}-${boot.nodeName}`,
      "local-hostname": boot.nodeName,
    }),
    "user-data": `#cloud-config\n${stringify(userData(boot), { lineWidth: 0 })}`,
    "network-config": stringify(networkConfig(boot), { lineWidth: 0 }),
  };
}

function userData({ nodeName, user, authorizedKeys, packages, hostKey }: FirstBoot): object {
  return {
    hostname: nodeName,
    manage_etc_hosts: true,
    ssh_deletekeys: true,
    // Where keys are given cloud-init makes no others: the one that is pinned stays the only one.
    ssh_keys: { ed25519_private: hostKey.private, ed25519_public: hostKey.public },
    ssh_pwauth: false,
    ...(user === "root" ? root(authorizedKeys) : { users: [sudoer(user, authorizedKeys)] }),
    growpart: { mode: "auto", devices: ["/"] },
    ...(packages.length === 0 ? {} : { package_update: true, packages: [...packages] }),
  };
}

function root(authorizedKeys: readonly string[]): object {
  return {
    disable_root: false,
    users: [{ name: "root", ssh_authorized_keys: [...authorizedKeys] }],
  };
}

function sudoer(name: string, authorizedKeys: readonly string[]): object {
  return {
    name,
    shell: "/bin/bash",
    lock_passwd: true,
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    ssh_authorized_keys: [...authorizedKeys],
  };
}

/** The one network device, whatever the kernel calls it: its MAC address is not known before it is made. */
function networkConfig({ address, network }: FirstBoot): object {
  const { gateway, nameservers, prefixLength, searchDomain } = network;
  return {
    version: 2,
    ethernets: {
      eth0: {
        match: { name: "e*" },
        addresses: [`${address}/${prefixLength}`],
        // Not `default`, which older netplans don't know.
        routes: [{ to: "0.0.0.0/0", via: gateway }],
        nameservers: {
          addresses: [...nameservers],
          ...(searchDomain === undefined ? {} : { search: [searchDomain] }),
        },
      },
    },
  };
}
