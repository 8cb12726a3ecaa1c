import { z } from "zod";
import type { GuestInterface } from "./hypervisor.ts";

const schema = z.array(
  z.object({
    ifname: z.string(),
    address: z.string().default(""),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })).default([]),
  }),
);

/** Interfaces as `ip -json address` tells of them. */
export function interfacesIn(json: string): GuestInterface[] {
  return schema.parse(JSON.parse(json)).map(({ ifname, address, addr_info }) => ({
    name: ifname,
    mac: address,
    addresses: addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  }));
}
