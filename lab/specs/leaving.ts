import assert from "node:assert/strict";
import { readEtcd } from "../measure/clusterState.ts";
import { kubectl } from "../measure/inside.ts";
import { runPulumi, type PulumiRun } from "../measure/pulumiRun.ts";
import { stackOutput } from "../measure/stackOutput.ts";
import { balancersOf } from "../topology.ts";
import { onDisk } from "./moments.ts";
import { isK3s, shell, topology } from "./support.ts";

/** What goes with a server: its component and all that is in it. */
export function partsOf(server: string): string[] {
  const own = [`Command ${server}-membership`, `Server ${server}`];
  if (!isK3s) return own;
  const balancer = [
    `Command ${server}-haproxy`,
    `Command ${server}-keepalived`,
    `LoadBalancer ${server}`,
    `RandomPassword ${server}-stats-password`,
  ];
  return [...own, ...balancer].sort();
}

/** Lets one server leave by the command that the stack tells. */
export async function destroyServer(server: string, name: string): Promise<PulumiRun> {
  const { leave } = (await stackOutput(topology)).servers[server] ?? {};
  assert.ok(leave !== undefined, `the stack has no command for ${server}`);
  return await runPulumi(topology, name, leave);
}

/** What a server is in the eyes of the cluster and of the load balancers; a refusal must not change it. */
export async function standingOf(server: string): Promise<object> {
  const get = ["get", "node", server, "-o=jsonpath={.spec.unschedulable}{.spec.taints}"];
  const states = balancersOf(topology).map((balancer) => [
    balancer.name,
    onDisk(balancer, `/var/lib/triad/haproxy/${server}`).trim(),
  ]);
  return { cordon: await kubectl(topology, get), balancers: Object.fromEntries(states) };
}

/** The programs that make a machine a server, each with the number of its process: another start has another. */
export async function serverProcesses(server: string): Promise<string> {
  const names =
    "kube-apiserver|etcd|kube-controller|kube-scheduler|kubelet|k3s.*|haproxy|keepalived";
  return await shell(server, `pgrep --list-name --exact '${names}' || true`);
}

/**
 * Looks that a server may not leave by its own destroy, which says all of this, and that it is as whole as before: a
 * voter, in use, schedulable, with the same processes.
 */
export async function expectToStay(server: string, ...says: readonly RegExp[]): Promise<void> {
  const lookAt = async (): Promise<object> => ({
    standing: await standingOf(server),
    etcd: await readEtcd(topology, server),
    processes: await serverProcesses(server),
  });
  const before = await lookAt();
  const { exitCode, output } = await destroyServer(server, `stays-${server}`);
  assert.notEqual(exitCode, 0, output);
  for (const what of says) assert.match(output, what);
  assert.deepEqual(await lookAt(), before);
}
