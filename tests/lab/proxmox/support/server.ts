/** Arguments of a VM as Triad makes one, cloned from the template 9000 of the double. */
export function serverVm(
  id: number,
  { memory = 2048, disk = 10, ...more }: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    nodeName: "pve1",
    vmId: id,
    name: `server-${id}`,
    clone: { vmId: 9000, full: true, retries: 1 },
    cpu: { cores: 2, type: "host" },
    memory: { dedicated: memory, floating: 0 },
    operatingSystem: { type: "l26" },
    disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: disk }],
    networkDevices: [{ bridge: "vmbr0", vlanId: 20 }],
    initialization: {
      datastoreId: "local-lvm",
      dns: { domain: "home.test", servers: ["192.0.2.53"] },
      ipConfigs: [{ ipv4: { address: `192.0.2.${id}/24`, gateway: "192.0.2.1" } }],
      userAccount: { username: "ops", keys: ["ssh-ed25519 AAAA+/= ops@desk"] },
      upgrade: false,
    },
    agent: { enabled: true, timeout: "15s" },
    tags: ["triad", "k8s"],
    stopOnDestroy: true,
    rebootAfterUpdate: false,
    ...more,
  };
}
