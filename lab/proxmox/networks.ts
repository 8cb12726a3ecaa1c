import { randomBytes } from "node:crypto";
import { badParameter } from "./apiError.ts";
import { parseProperties, printProperties } from "./propertyString.ts";

/** The prefix of the addresses that Proxmox gives to network devices. */
const prefix = "BC:24:11";
const models = /^(virtio|e1000\w*|rtl8139|vmxnet3)$/;

/** A MAC address that nobody has. */
export function freshMac(): string {
  const hex = randomBytes(3).toString("hex").toUpperCase();
  return [prefix, ...(hex.match(/../g) ?? [])].join(":");
}

/**
 * Brings a network device into the form in which it is kept, `virtio=MAC,bridge=…`; one without an address keeps what
 * it had, or gets a new one.
 */
export function placeNetwork(key: string, value: string, before: string | undefined): string {
  const { first, named } = parseProperties(value);
  const rest = new Map(named);
  const short = [...named.keys()].find((name) => models.test(name));
  const model = rest.get("model") ?? short ?? first;
  if (model === undefined) throw badParameter(key, "invalid format - missing model");
  const mac = rest.get("macaddr") ?? (short && named.get(short)) ?? macOf(before ?? "");
  for (const name of ["model", "macaddr", short ?? ""]) rest.delete(name);
  return printProperties(`${model}=${(mac ?? freshMac()).toUpperCase()}`, rest);
}

/** The same device with another address, as a clone gets it. */
export function withFreshMac(device: string): string {
  return device.replace(/[0-9A-F]{2}(:[0-9A-F]{2}){5}/i, freshMac());
}

/** A device's address. */
export function macOf(device: string): string | undefined {
  return /[0-9A-F]{2}(?::[0-9A-F]{2}){5}/i.exec(device)?.[0];
}

/** The bridge that a device is plugged into. */
export function bridgeOf(device: string): string {
  return parseProperties(device).named.get("bridge") ?? "";
}
