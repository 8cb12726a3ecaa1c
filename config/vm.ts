import type { ClusterConfig } from "./clusterConfig.ts";
import type { ProxmoxConfig, VmConfig, VmSource } from "./proxmoxConfig.ts";
import type { ParsedConfig } from "./schema.ts";

type ParsedVm = NonNullable<ParsedConfig["machines"][string]["proxmox"]>;
type ParsedProxmox = NonNullable<ParsedConfig["proxmox"]>;

/** What a virtual machine has when nobody says otherwise. */
export const vmDefaults = {
  cores: 4,
  memoryMiB: 8192,
  /** The newest that every server of the last ten years has, so that machines can move between nodes. */
  cpuType: "x86-64-v2-AES",
  disk: "scsi0",
  diskGiB: 40,
  datastore: "local-lvm",
  bridge: "vmbr0",
};

/** A machine's own words first, then those for all, then the defaults. The rules have seen that nothing is missing. */
export function completeVm(own: ParsedVm, { name, proxmox }: ParsedConfig): VmConfig {
  const said = { ...proxmox?.defaults, ...own };
  const { vlan, pool, startOrder } = said;
  const all = { ...vmDefaults, tags: ["triad", name], ...said };
  return {
    vmId: own.vmId,
    node: said.node ?? "",
    source: sourceOf(own, said),
    cores: all.cores,
    memoryMiB: all.memoryMiB,
    cpuType: all.cpuType,
    disk: { interface: all.disk, sizeGiB: all.diskGiB, datastore: all.datastore },
    bridge: all.bridge,
    ...(vlan === undefined ? {} : { vlan }),
    tags: [...new Set(all.tags)].sort(),
    ...(pool === undefined ? {} : { pool }),
    ...(startOrder === undefined ? {} : { startOrder }),
  };
}

/** A machine's template takes the place of the image for all, and the reverse. */
function sourceOf(own: ParsedVm, said: ParsedVm): VmSource {
  const { template, image } = own.template === undefined && own.image === undefined ? said : own;
  if (template === undefined) return { kind: "image", volume: image ?? "" };
  return { kind: "template", vmId: template, node: said.templateNode ?? said.node ?? "" };
}

/** The Proxmox cluster, with what can be told from the rest of the config. */
export function completeProxmox(
  { defaults: _defaults, gateway, prefixLength, nameservers, searchDomain, ...rest }: ParsedProxmox,
  endpoint: Pick<ClusterConfig["endpoint"], "prefixLength">,
): ProxmoxConfig {
  return {
    ...rest,
    endpoint: new URL(rest.endpoint).origin,
    network: {
      prefixLength: prefixLength ?? endpoint.prefixLength,
      gateway,
      nameservers: nameservers === undefined || nameservers.length === 0 ? [gateway] : nameservers,
      ...(searchDomain === undefined ? {} : { searchDomain }),
    },
  };
}
