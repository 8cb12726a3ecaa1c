import type { Complaint } from "./complaint.ts";

const STORAGE = /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i;
const TAG = /^[a-z0-9_][a-z0-9_\-+.]*$/;
const POOL = /^[a-z0-9._-]+(\/[a-z0-9._-]+){0,2}$/i;
const BRIDGE = /^[a-z][a-z0-9_]{1,14}$/i;
const VOLUME = /^[a-z][a-z0-9\-_.]*[a-z0-9]:import\/[\w.+-]+\.(qcow2|raw|vmdk)$/i;
const CPU = /^[A-Za-z0-9][\w-]*$/;
const PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;

/** Refuses what can't be the name of a Proxmox storage. */
export function judgeStorage(value: string): Complaint | undefined {
  if (STORAGE.test(value)) return undefined;
  return {
    problem: `"${value}" is not the name of a Proxmox storage`,
    cure: "give a name as `pvesm status` shows it, for instance local-lvm",
  };
}

/** Refuses what Proxmox would not take as a tag, or would write in another way than it was given. */
export function judgeTag(value: string): Complaint | undefined {
  if (TAG.test(value)) return undefined;
  return {
    problem: `"${value}" is not a tag of Proxmox`,
    cure: "use small letters, digits, and _ - + . inside",
  };
}

/** Refuses what can't be a pool, with up to two above it. */
export function judgePool(value: string): Complaint | undefined {
  if (POOL.test(value)) return undefined;
  return {
    problem: `"${value}" is not the name of a Proxmox pool`,
    cure: "give a name as `pvesh get /pools` shows it, for instance lab",
  };
}

/** Refuses what can't be a bridge, or a virtual network of Proxmox's SDN. */
export function judgeBridge(value: string): Complaint | undefined {
  if (BRIDGE.test(value)) return undefined;
  return {
    problem: `"${value}" is not the name of a bridge`,
    cure: "give one, for instance vmbr0",
  };
}

/** Refuses what is no volume that Proxmox can import a disk from. */
export function judgeImage(value: string): Complaint | undefined {
  if (VOLUME.test(value)) return undefined;
  return {
    problem: `"${value}" is not a volume with an image`,
    cure: "give storage:import/file with .qcow2, .raw or .vmdk at its end, for instance local:import/noble.qcow2",
  };
}

/** Refuses what can't be a type of CPU. */
export function judgeCpuType(value: string): Complaint | undefined {
  if (CPU.test(value)) return undefined;
  return {
    problem: `"${value}" is not a type of CPU`,
    cure: "give one as Proxmox names it, for instance x86-64-v2-AES or host",
  };
}

/** Refuses what Debian and Ubuntu would not call a package. */
export function judgePackage(value: string): Complaint | undefined {
  if (PACKAGE.test(value)) return undefined;
  return { problem: `"${value}" is not a package`, cure: "give its name, for instance nfs-common" };
}

/** Refuses what is no https URL of a host, since the provider leaves out any path. */
export function judgeProxmoxEndpoint(value: string): Complaint | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const cure = "give the API of any node, for instance https://pve.homelab.example:8006";
  if (url === undefined || url.host === "") return { problem: `"${value}" is not a URL`, cure };
  if (url.username !== "" || url.password !== "") {
    // The value is not repeated: it may hold a password.
    return { problem: "holds a user or a password, which would be stored in the clear", cure };
  }
  if (url.protocol !== "https:") return { problem: `"${value}" is not an https URL`, cure };
  if (url.pathname === "/" && url.search === "" && url.hash === "") return undefined;
  return {
    problem: `"${value}" has more than a host and a port`,
    cure: `did you mean ${url.origin}?`,
  };
}
