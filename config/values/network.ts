import ipaddr from "ipaddr.js";
import type { Complaint } from "./complaint.ts";

/** Ranges in which no machine and no endpoint can have its address. */
const UNUSABLE = ["unspecified", "loopback", "linkLocal", "multicast", "broadcast"];

/** Refuses what is no IPv4 address that a machine can have. */
export function judgeIpv4(value: string): Complaint | undefined {
  if (ipaddr.IPv6.isValid(value)) {
    return { problem: `"${value}" is an IPv6 address`, cure: "give an IPv4 address" };
  }
  if (!ipaddr.IPv4.isValidFourPartDecimal(value)) {
    return {
      problem: `"${value}" is not an IPv4 address`,
      cure: "give four numbers from 0 to 255, for instance 10.0.20.100",
    };
  }
  const range = ipaddr.IPv4.parse(value).range();
  if (!UNUSABLE.includes(range)) return undefined;
  return {
    problem: `${value} is a ${range} address, by which no other machine can reach this one`,
    cure: "give the address that it has on the network",
  };
}

/** Refuses what is no IPv4 CIDR, or has bits set behind its prefix. */
export function judgeCidr(value: string): Complaint | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(value)) {
    return {
      problem: `"${value}" is not an IPv4 CIDR`,
      cure: "give an address and a prefix length, for instance 10.244.0.0/16",
    };
  }
  const [, prefixLength] = ipaddr.IPv4.parseCIDR(value);
  const network = `${ipaddr.IPv4.networkAddressFromCIDR(value).toString()}/${prefixLength}`;
  if (network === value) return undefined;
  return { problem: `${value} has host bits set`, cure: `did you mean ${network}?` };
}

/** The network that an address is in, as a CIDR. */
export function networkOf(address: string, prefixLength: number): string {
  const network = ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefixLength}`);
  return `${network.toString()}/${prefixLength}`;
}

/** The first address of a network, which names the network itself. */
export function networkAddress(cidr: string): string {
  return ipaddr.IPv4.networkAddressFromCIDR(cidr).toString();
}

/** The last address of a network, which means everybody on it. */
export function broadcastAddress(cidr: string): string {
  return ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString();
}

/** The prefix length of a CIDR. */
export function prefixLengthOf(cidr: string): number {
  return ipaddr.IPv4.parseCIDR(cidr)[1];
}

/** Whether an address is in a network. */
export function contains(cidr: string, address: string): boolean {
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(cidr));
}

/** Whether two networks share an address. Of two networks, either none or one holds the other. */
export function overlap(one: string, other: string): boolean {
  return contains(one, networkAddress(other)) || contains(other, networkAddress(one));
}
