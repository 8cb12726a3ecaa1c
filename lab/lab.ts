import { ensureArtifacts, type Artifacts } from "./artifacts/artifacts.ts";
import { startMirror } from "./artifacts/startMirror.ts";
import { beforeMachines, makeCluster, untilWhole } from "./before/beforeState.ts";
import { kubectlOn } from "./before/byHand.ts";
import { rememberResidents } from "./before/remembered.ts";
import { snapshotFor, type Snapshot } from "./before/snapshot.ts";
import { workload } from "./before/workload/workload.ts";
import { currentLab, endOwner, rememberLab, type Lab } from "./currentLab.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
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
import { startInLab } from "./proxmox/startInLab.ts";
import { requireComputer } from "./requireComputer.ts";
import { createStack, removeStackFile } from "./stackFile.ts";
import {
  existingMachines,
  initialServerOf,
  machinesWith,
  type LabMachine,
  type Topology,
} from "./topology.ts";

/**
 * Ends any lab on this computer, then sets up the home as it was before Triad: all machines that exist, of
 * which one server and the workers are a cluster that was made by hand.
 * @throws Error when the computer lacks something, or the cluster does not come up.
 */
export async function upBeforeState(topology: Topology): Promise<Lab> {
  if (initialServerOf(topology).isCreated === true) {
    throw new Error(
      `${topology.stack} has no cluster to begin with; \`make bench STACK=lab-proxmox\` makes one`,
    );
  }
  await requireComputer();
  const image = await ensureImage();
  const artifacts = await ensureArtifacts(topology, image);
  const snapshot = await snapshotFor(topology, [image, artifacts.version]);
  const lab = await begin(topology, artifacts);
  if (!(await snapshot.isUsable())) await makeSnapshot(topology, image, snapshot);
  await startInLab(topology, image);
  const machines = existingMachines(topology);
  progress(`starting ${String(machines.length)} machines`);
  const members = beforeMachines(topology);
  await boot(topology, machines, async (machine) => {
    if (!members.includes(machine)) return [image];
    await snapshot.copyContainerd(machine.name);
    return [snapshot.layerOf(machine.name), image];
  });
  progress("waiting for the cluster as it was");
  await Promise.all([createStack(topology), untilWhole(topology)]);
  await untilWorkloadAnswers(topology);
  await rememberResidents(topology);
  await writeKubeconfig(topology);
  return lab;
}

/**
 * Ends any lab on this computer, then sets up a home without a cluster: the machines that exist, and what machines are
 * created on.
 * @throws Error when the computer lacks something
 */
export async function upWithoutCluster(topology: Topology): Promise<Lab> {
  await requireComputer();
  const image = await ensureImage();
  const lab = await begin(topology, await ensureArtifacts(topology, image));
  await startInLab(topology, image);
  await boot(topology, existingMachines(topology), () => Promise.resolve([image]));
  await createStack(topology);
  return lab;
}

async function begin(topology: Topology, artifacts: Artifacts): Promise<Lab> {
  await downLab();
  await borrowKernel();
  await mintKeys(topology);
  const lab: Lab = { topology, programs: artifacts.kubectl };
  await rememberLab(lab);
  await createLabNetwork(topology);
  await startMirror(topology, artifacts);
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

/** Makes the cluster by hand, once, and keeps the disks. */
async function makeSnapshot(topology: Topology, image: string, snapshot: Snapshot): Promise<void> {
  progress("making the cluster that is to be taken over; the next run starts from its disks");
  const members = beforeMachines(topology);
  const dns = machinesWith(topology, "dns");
  await boot(topology, [...dns, ...members], () => Promise.resolve([image]));
  await makeCluster(topology);
  progress("keeping its disks");
  const [server, ...agents] = members;
  for (const group of [agents, server === undefined ? [] : [server], dns])
    await Promise.all(group.map(stopMachine));
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
  const server = initialServerOf(topology);
  const service = ["get", "service", "-n", workload.namespace, workload.service];
  const get = [...kubectlOn(topology), ...service, "-o", "jsonpath={.spec.clusterIP}"];
  const address = (await exec(server.name, get)).stdout.trim();
  const ask = `until [ "$(curl -sm1 http://${address}/)" = "${workload.answer}" ]; do sleep 0.2; done`;
  for (const { name } of beforeMachines(topology)) {
    const { exitCode } = await exec(name, ["timeout", "60", "bash", "-c", ask]);
    if (exitCode !== 0) throw new Error(`${name}: http://${address}/ does not answer as it should`);
  }
}
