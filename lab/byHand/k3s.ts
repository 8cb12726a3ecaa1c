import { mustExec } from "../before/byHand.ts";
import { runInstallScript, serverArguments } from "../before/k3s/installScript.ts";
import { eventually } from "../measure/eventually.ts";
import { missingToWhole } from "../measure/whole.ts";
import { readEtcd } from "../measure/clusterState.ts";
import { machinesWith, type Topology } from "../topology.ts";
import type { GrowByHand, Timed } from "./growByHand.ts";

/** The way of the homelab's document: the install script again with --cluster-init, then agents made servers. */
export const growK3s: GrowByHand = grow;

async function grow(topology: Topology, timed: Timed): Promise<void> {
  const [first, ...others] = machinesWith(topology, "server");
  if (first === undefined) throw new Error("nothing to grow");
  const tokenFile = "/var/lib/rancher/k3s/server/node-token";
  const token = (await mustExec(first, ["cat", tokenFile])).trim();
  await timed("one → three", async () => {
    await timed("conversion", () =>
      runInstallScript(first, {}, [...serverArguments, "--cluster-init"]),
    );
    for (const [index, machine] of others.entries()) {
      await timed(`join ${machine.name}`, async () => {
        await mustExec(machine, ["systemctl", "disable", "--now", "k3s-agent"]);
        const target = ["--server", `https://${first.address}:6443`];
        await runInstallScript(machine, { K3S_TOKEN: token }, [...serverArguments, ...target]);
        await eventually(180, async () => {
          const { voters } = await readEtcd(topology, first.name);
          return voters === index + 2 ? undefined : `${String(voters)} voters`;
        });
      });
    }
    await timed("until it is whole", () => eventually(180, () => missingToWhole(topology)));
  });
}
