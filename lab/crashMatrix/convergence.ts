import { z } from "zod";
import { kubectl } from "../measure/inside.ts";
import { pulumi } from "../measure/pulumi.ts";
import { balancersOf, machinesWith, type Topology } from "../topology.ts";
import { membersSeenBy } from "./members.ts";
import { onDisk } from "./scene.ts";
import { actingMachines } from "./stateFound.ts";

const nodesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
      spec: z.object({ unschedulable: z.boolean().default(false) }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      }),
    }),
  ),
});

const leaseSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({
    holderIdentity: z.string().nullish(),
    leaseDurationSeconds: z.number(),
    renewTime: z.string(),
  }),
});

/** Says what is not as it has to be once a run is healed; nothing when all is. Nodes may follow within a minute. */
export async function missingToConverged(topology: Topology): Promise<string | undefined> {
  return (
    (await wrongMembers(topology)) ??
    (await wrongNodes(topology)) ??
    wrongBalancers(topology) ??
    (await unfinished(topology))
  );
}

/** A second cluster would have another identity; one server would see it and the others not. */
async function wrongMembers(topology: Topology): Promise<string | undefined> {
  const servers = machinesWith(topology, "server").map(({ name }) => name);
  const clusters = new Set<string>();
  for (const server of servers) {
    const seen = await membersSeenBy(topology, server);
    if (seen === undefined) return `etcd on ${server} does not answer`;
    clusters.add(seen.cluster);
    const { voters, learners } = seen;
    if (voters.toSorted().join() !== servers.toSorted().join() || learners.length > 0)
      return `${server} sees the voters ${voters.join(", ")} and the learners ${learners.join(", ") || "none"}`;
  }
  return clusters.size === 1 ? undefined : `there are ${String(clusters.size)} clusters of etcd`;
}

async function wrongNodes(topology: Topology): Promise<string | undefined> {
  const { items } = nodesSchema.parse(
    JSON.parse(await kubectl(topology, ["get", "nodes", "-o=json"])),
  );
  const servers = machinesWith(topology, "server").map(({ name }) => name);
  const expected = [...servers, ...machinesWith(topology, "worker").map(({ name }) => name)];
  const names = items.map(({ metadata }) => metadata.name);
  if (names.toSorted().join() !== expected.toSorted().join())
    return `the Nodes are ${names.join(", ")}`;
  for (const { metadata, spec, status } of items) {
    const { name, labels } = metadata;
    const isServer = "node-role.kubernetes.io/control-plane" in labels;
    if (isServer !== servers.includes(name)) return `the Node ${name} has the wrong role`;
    if (spec.unschedulable) return `the Node ${name} is left cordoned`;
    if (!status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"))
      return `the Node ${name} is not Ready`;
  }
  return undefined;
}

/** Every load balancer has every server in use. */
function wrongBalancers(topology: Topology): string | undefined {
  for (const balancer of balancersOf(topology)) {
    for (const { name } of machinesWith(topology, "server")) {
      const state = onDisk(balancer, `/var/lib/triad/haproxy/${name}`).trim();
      if (state !== "ready")
        return `${name} is ${state || "unknown"} to HAProxy on ${balancer.name}`;
    }
  }
  return undefined;
}

/** Nothing goes on, and nobody holds the Lease; that of an act which was killed runs out. */
async function unfinished(topology: Topology): Promise<string | undefined> {
  const acting = await actingMachines(topology);
  if (acting.length > 0) return `an act still runs on ${acting.join(", ")}`;
  const get = ["get", "lease", "triad", "--namespace=kube-system", "-o=json"];
  const { metadata, spec } = leaseSchema.parse(JSON.parse(await kubectl(topology, get)));
  const heldUntilMs = Date.parse(spec.renewTime) + spec.leaseDurationSeconds * 1000;
  if (!spec.holderIdentity || heldUntilMs < Date.now()) return undefined;
  return `the Lease is held: ${metadata.annotations["triad.dev/act"] ?? spec.holderIdentity}`;
}

/** Says what another run would still change. */
export async function leftToChange(topology: Topology, log: string): Promise<string | undefined> {
  const { exitCode, output } = await pulumi(topology, log, ["preview", "--expect-no-changes"]);
  if (exitCode === 0) return undefined;
  const lines = output.split("\n").filter((line) => /^ +[~+-]|^error:/.test(line));
  return `a preview expects changes: ${lines.slice(-4).join("; ")}`;
}
