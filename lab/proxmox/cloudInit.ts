import { createHash } from "node:crypto";
import { parseProperties } from "./propertyString.ts";
import type { VmConfig } from "./vmConfig.ts";

/** What lies on the cloud-init drive: the files of the NoCloud source, as text. */
export interface Seed {
  readonly metaData: string;
  readonly userData: string;
  readonly networkConfig: string;
  readonly vendorData?: string;
}

/** The resolver of the node, for a VM without one of its own. */
export interface Resolver {
  readonly search: string;
  readonly servers: readonly string[];
}

/**
 * The seed that Proxmox would make of a configuration.
 * @param snippet reads a file that `cicustom` names
 * @see https://pve.proxmox.com/wiki/Cloud-Init_Support and PVE::QemuServer::Cloudinit
 */
export function seedOf(
  id: number,
  config: VmConfig,
  resolver: Resolver,
  snippet: (volume: string) => string,
): Seed {
  const custom = parseProperties(String(config["cicustom"] ?? "")).named;
  const fileOr = (key: string, made: () => string): string => {
    const volume = custom.get(key);
    return volume === undefined ? made() : snippet(volume);
  };
  const userData = fileOr("user", () => userDataOf(id, config));
  const networkConfig = fileOr("network", () => networkConfigOf(config, resolver));
  const vendor = custom.get("vendor");
  return {
    userData,
    networkConfig,
    // Another instance to cloud-init as soon as anything changes: it then runs what runs once.
    metaData: fileOr("meta", () => `instance-id: ${sha1(userData + networkConfig)}\n`),
    ...(vendor === undefined ? {} : { vendorData: snippet(vendor) }),
  };
}

function userDataOf(id: number, config: VmConfig): string {
  const { host, fqdn } = namesOf(id, config);
  const user = config["ciuser"];
  const password = config["cipassword"];
  const keys = sshKeysOf(config);
  return lines(
    "#cloud-config",
    `hostname: ${host}`,
    "manage_etc_hosts: true",
    fqdn !== undefined && `fqdn: ${fqdn}`,
    user !== undefined && `user: ${user}`,
    password !== undefined && `password: ${password}`,
    keys !== undefined && "ssh_authorized_keys:",
    ...(keys ?? []).map((key) => `  - ${key}`),
    "chpasswd:",
    "  expire: False",
    ...(user === "root" ? [] : ["users:", "  - default"]),
    config["ciupgrade"] !== 0 && "package_upgrade: true",
  );
}

function namesOf(id: number, config: VmConfig): { host: string; fqdn: string | undefined } {
  const name = String(config["name"] ?? `VM${id}`);
  const [host = name] = name.split(".");
  if (host !== name) return { host, fqdn: name };
  const search = config["searchdomain"];
  return { host, fqdn: search === undefined ? undefined : `${host}.${search}` };
}

function sshKeysOf(config: VmConfig): readonly string[] | undefined {
  const keys = config["sshkeys"];
  // Kept with every letter escaped once, as it came.
  return keys === undefined
    ? undefined
    : decodeURIComponent(String(keys))
        .split("\n")
        .filter((key) => key.trim() !== "");
}

function networkConfigOf(config: VmConfig, resolver: Resolver): string {
  const interfaces = Object.keys(config).filter((key) => /^net\d+$/.test(key));
  const own = config["nameserver"] !== undefined || config["searchdomain"] !== undefined;
  const servers = own ? words(config["nameserver"]) : resolver.servers;
  const search = own ? words(config["searchdomain"]) : [resolver.search].filter(Boolean);
  return lines(
    "version: 1",
    "config:",
    ...interfaces.sort().flatMap((key) => interfaceOf(config, key)),
    ...(servers.length + search.length === 0 ? [] : ["    - type: nameserver"]),
    ...list("address", servers),
    ...list("search", search),
  );
}

function interfaceOf(config: VmConfig, key: string): string[] {
  const number = key.slice("net".length);
  const mac = /[0-9A-F]{2}(?::[0-9A-F]{2}){5}/.exec(String(config[key]))?.[0] ?? "";
  const { named } = parseProperties(String(config[`ipconfig${number}`] ?? ""));
  return [
    "    - type: physical",
    `      name: eth${number}`,
    `      mac_address: '${mac.toLowerCase()}'`,
    "      subnets:",
    ...subnetOf(named.get("ip"), named.get("gw"), "dhcp4", "static"),
    ...subnetOf(named.get("ip6"), named.get("gw6"), "dhcp6", "static6"),
  ];
}

function subnetOf(
  address: string | undefined,
  gateway: string | undefined,
  dhcp: string,
  fixed: string,
): string[] {
  if (address === undefined) return [];
  if (address === "dhcp") return [`      - type: ${dhcp}`];
  if (address === "auto") return ["      - type: ipv6_slaac"];
  const [ip, bits] = address.split("/");
  return [
    `      - type: ${fixed}`,
    // An address of version 6 keeps its prefix, one of version 4 gets a mask.
    `        address: '${fixed === "static6" ? address : ip}'`,
    ...(fixed === "static6" ? [] : [`        netmask: '${maskOf(Number(bits))}'`]),
    ...(gateway === undefined ? [] : [`        gateway: '${gateway}'`]),
  ];
}

function maskOf(bits: number): string {
  const ones = "1".repeat(bits).padEnd(32, "0");
  return [0, 8, 16, 24].map((at) => Number.parseInt(ones.slice(at, at + 8), 2)).join(".");
}

function list(key: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  return [`      ${key}:`, ...values.map((value) => `      - '${value}'`)];
}

function words(value: string | number | undefined): string[] {
  return String(value ?? "")
    .split(/[\s,;]+/)
    .filter((word) => word !== "");
}

function lines(...all: readonly (string | false)[]): string {
  return `${all.filter((line) => line !== false).join("\n")}\n`;
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
