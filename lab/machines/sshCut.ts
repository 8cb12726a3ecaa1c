import type { LabMachine, Topology } from "../topology.ts";
import { diskOf } from "./mounts.ts";
import { machineNamespace, namespacePath } from "./network.ts";
import { must } from "./shell.ts";

/** Not one that the machine itself would make, or flush. */
const table = "inet triad-lab-fault";

/** Makes and removes it, whether it was there or not. */
const away = `add table ${table}\ndelete table ${table}\n`;

const drop = `${away}table ${table} {
  chain input {
    type filter hook input priority -300; policy accept;
    tcp dport 22 drop
  }
}
`;

/**
 * Lets no packet for SSH reach a machine any more, also of connections that there are. Everything else goes on: its etcd,
 * its API. A loss of power ends it, since it hangs on the network card.
 */
export async function cutSsh(topology: Topology, machine: LabMachine): Promise<void> {
  await nft(topology, machine, drop);
}

/** Undoes `cutSsh`. */
export async function mendSsh(topology: Topology, machine: LabMachine): Promise<void> {
  await nft(topology, machine, away);
}

/** With the program from the machine's disk, for the computer need not have it, but not in the machine, which may be busy. */
async function nft(topology: Topology, { name }: LabMachine, rules: string): Promise<void> {
  const network = `--net=${namespacePath(machineNamespace(topology, name))}`;
  const program = ["chroot", diskOf(name).root, "/usr/sbin/nft", "--file", "-"];
  await must(["nsenter", network, ...program], { input: rules });
}
