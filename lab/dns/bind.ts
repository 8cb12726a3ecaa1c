import { readFile } from "node:fs/promises";
import { statePaths } from "../paths.ts";
import type { DiskFile } from "../machines/furnish.ts";
import type { Topology } from "../topology.ts";

/** The name of the key that may change the zone. */
export const tsigKeyName = "triad";

/**
 * The configuration of the lab's DNS server: BIND 9, which knows the home's own zone, lets the holder
 * of the TSIG key change it, and says of every other name at once that it doesn't exist.
 * @see https://bind9.readthedocs.io/en/v9.18.0/reference.html#dynamic-update-policies
 */
export async function dnsServerFiles(topology: Topology): Promise<DiskFile[]> {
  const secret = (await readFile(statePaths.tsigSecret, "utf8")).trim();
  const zoneFile = `/var/lib/bind/db.${topology.domain}`;
  const bind = { owner: "bind", group: "bind" };
  return [
    { path: "/etc/bind/named.conf", content: namedConf(topology, zoneFile), mode: 0o644 },
    {
      path: "/etc/bind/triad.key",
      content: `key "${tsigKeyName}" {\n  algorithm hmac-sha256;\n  secret "${secret}";\n};\n`,
      mode: 0o640,
      group: "bind",
    },
    { path: zoneFile, content: homeZone(topology), mode: 0o644, ...bind },
    { path: "/etc/bind/db.outside", content: outsideZone, mode: 0o644 },
  ];
}

function namedConf(topology: Topology, zoneFile: string): string {
  return `include "/etc/bind/triad.key";
include "/etc/bind/rndc.key";

options {
  directory "/var/cache/bind";
  listen-on { any; };
  listen-on-v6 { none; };
  recursion no;
  empty-zones-enable no;
  dnssec-validation no;
  allow-query { any; };
  allow-transfer { none; };
};

zone "${topology.domain}" {
  type primary;
  file "${zoneFile}";
  allow-update { key "${tsigKeyName}"; };
};

// There is no world outside; whoever asks for it shall not have to wait.
zone "." {
  type primary;
  file "/etc/bind/db.outside";
};
`;
}

function homeZone(topology: Topology): string {
  const records = topology.machines.map(({ name, address }) => `${name} IN A ${address}`);
  return `$TTL 60
@ IN SOA dns1.${topology.domain}. hostmaster.${topology.domain}. ( 1 3600 600 86400 5 )
@ IN NS dns1.${topology.domain}.
${records.join("\n")}
`;
}

const outsideZone = `$TTL 60
@ IN SOA ns.outside. hostmaster.outside. ( 1 3600 600 86400 60 )
@ IN NS ns.outside.
ns.outside. IN A 127.0.0.1
`;
