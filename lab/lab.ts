import { ensureImages } from "./artifacts/images.ts";
import { ensurePrograms } from "./artifacts/programs.ts";
import { startMirror } from "./artifacts/startMirror.ts";
import { currentLab, endOwner, rememberLab, type Lab } from "./currentLab.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { kubectl, makeCluster, untilWhole } from "./kubeadm/makeCluster.ts";
import { snapshotFor, type Snapshot } from "./kubeadm/snapshot.ts";
import { workload } from "./kubeadm/workload.ts";
import { ensureImage } from "./machines/image.ts";
import { mintKeys } from "./machines/keys.ts";
import { exec, startMachine, stopMachine, untilUp } from "./machines/machine.ts";
import { unmountAll } from "./machines/mounts.ts";
import { createLabNetwork } from "./machines/network.ts";
import { borrowKernel } from "./machines/safety.ts";
import { must } from "./machines/shell.ts";
import { assertNothingLeft, takeDown } from "./machines/takeDown.ts";
import { statePaths } from "./paths.ts";
import { progress } from "./progress.ts";
import { requireComputer } from "./requireComputer.ts";
import { createStack, removeStackFile } from "./stackFile.ts";
import type { LabMachine, Topology } from "./topology.ts";

/**
 * Ends any lab on this computer, then sets up the home as it was before Triad: all machines, of
 * which one server and the workers are a cluster that was made by hand.
 * @throws Error when the computer lacks something, or the cluster does not come up.
 */
export async function upBeforeState(topology: Topology): Promise<Lab> {
  await requireComputer();
  const image = await ensureImage();
  const programs = await ensurePrograms();
  const images = await ensureImages(programs, image);
  const snapshot = await snapshotFor(topology, image, images);
  await downLab();
  await borrowKernel();
  await mintKeys(topology);
  const lab: Lab = { topology, programs: programs.kubernetes };
  await rememberLab(lab);
  await createLabNetwork(topology);
  await startMirror(topology, programs.kubernetes, images);
  if (!(await snapshot.isUsable())) await makeSnapshot(topology, image, snapshot);
  progress(`starting ${String(topology.machines.length)} machines`);
  const members = beforeMachines(topology);
  await boot(topology, topology.machines, async (machine) => {
    if (!members.includes(machine)) return [image];
    await snapshot.copyContainerd(machine.name);
    return [snapshot.layerOf(machine.name), image];
  });
  progress("waiting for the cluster as it was");
  await Promise.all([createStack(topology), untilWhole(serverOf(topology), members.length)]);
  await untilWorkloadAnswers(topology);
  await writeKubeconfig(topology);
  return lab;
}

/** Ends whatever lab is on this computer, and the run that it belongs to. Fails if anything is left. */
export async function downLab(): Promise<void> {
  await endOwner();
  const lab = await currentLab().catch(() => undefined);
  if (lab !== undefined) await removeStackFile(lab.topology);
  await takeDown();
  await assertNothingLeft();
}

/** The server that the before-state has, which is the first of the list. */
export function serverOf(topology: Topology): LabMachine {
  const server = topology.machines.find(({ role }) => role === "server");
  if (server === undefined) throw new Error(`${topology.stack} has no server`);
  return server;
}

function beforeMachines(topology: Topology): LabMachine[] {
  return [serverOf(topology), ...topology.machines.filter(({ role }) => role === "worker")];
}

/** Makes the cluster by hand, once, and keeps the disks. */
async function makeSnapshot(topology: Topology, image: string, snapshot: Snapshot): Promise<void> {
  progress("making the cluster that is to be taken over; the next run starts from its disks");
  const members = beforeMachines(topology);
  const dns = topology.machines.filter(({ role }) => role === "dns");
  await boot(topology, [...dns, ...members], () => Promise.resolve([image]));
  const [server, ...workers] = members;
  if (server === undefined) return;
  await makeCluster(topology, server, workers);
  progress("keeping its disks");
  for (const group of [workers, [server], dns]) await Promise.all(group.map(stopMachine));
  await unmountAll();
  await snapshot.take(members);
  for (const { name } of dns) await must(["rm", "-rf", statePaths.machine(name)]);
}

async function boot(
  topology: Topology,
  machines: readonly LabMachine[],
  layersOf: (machine: LabMachine) => Promise<readonly string[]>,
): Promise<void> {
  await Promise.all(
    machines.map(async (machine) => {
      await startMachine(topology, machine, await layersOf(machine));
      await untilUp(topology, machine);
    }),
  );
}

/** Through kube-proxy's rules on a worker, which also a pod would use. */
async function untilWorkloadAnswers(topology: Topology): Promise<void> {
  const server = serverOf(topology);
  const service = ["get", "service", "-n", workload.namespace, workload.service];
  const get = [...kubectl, ...service, "-o", "jsonpath={.spec.clusterIP}"];
  const address = (await exec(server.name, get)).stdout.trim();
  const ask = `until [ "$(curl -sm1 http://${address}/)" = "${workload.answer}" ]; do sleep 0.2; done`;
  for (const { name } of beforeMachines(topology)) {
    const { exitCode } = await exec(name, ["timeout", "60", "bash", "-c", ask]);
    if (exitCode !== 0) throw new Error(`${name}: http://${address}/ does not answer as it should`);
  }
}
