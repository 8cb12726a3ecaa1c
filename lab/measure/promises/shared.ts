import { join } from "node:path";
import { z } from "zod";
import { workload } from "../../before/workload/workload.ts";
import { exec } from "../../machines/machine.ts";
import { must } from "../../machines/shell.ts";
import { machinesWith, type Topology } from "../../topology.ts";
import { readEtcd, readNodes } from "../clusterState.ts";
import { fetchInCluster } from "../inCluster.ts";
import { inside, kubectl } from "../inside.ts";
import { outFolder, pulumi } from "../pulumi.ts";
import type { Promised } from "./promised.ts";

/** What has to be true whatever the cluster is made with. */
export const shared: readonly Promised[] = [
  { sentence: "etcd has a voter on every server and no learner", look: votersAreThere },
  { sentence: "every node is ready", look: nodesAreReady },
  { sentence: "the workload answers through its Service", look: serviceAnswers },
  { sentence: "the workload answers by its name in DNS", look: nameAnswers },
  { sentence: "every API server's certificate has the endpoint's address and name", look: names },
  { sentence: "a preview expects no changes", look: previewIsEmpty },
];

async function votersAreThere(topology: Topology): Promise<string | undefined> {
  const servers = machinesWith(topology, "server");
  const { voters, learners } = await readEtcd(topology, servers[0]?.name ?? "");
  if (voters === servers.length && learners === 0) return undefined;
  return `${String(voters)} voters and ${String(learners)} learners`;
}

async function nodesAreReady(topology: Topology): Promise<string | undefined> {
  const nodes = await readNodes(topology);
  const expected = [...machinesWith(topology, "server"), ...machinesWith(topology, "worker")];
  const missing = expected.filter(
    ({ name, role }) =>
      !nodes.some((node) => node.name === name && node.role === role && node.ready),
  );
  return missing.length === 0 ? undefined : `not so: ${missing.map(({ name }) => name).join(", ")}`;
}

async function serviceAnswers(topology: Topology): Promise<string | undefined> {
  const ip = ["get", "service", workload.service, `--namespace=${workload.namespace}`];
  const address = await kubectl(topology, [...ip, "-o=jsonpath={.spec.clusterIP}"]);
  const url = `http://${address}/`;
  for (const { name } of machinesWith(topology, "worker")) {
    const { stdout, stderr } = await exec(name, ["curl", "-sS", "--max-time", "5", url]);
    if (!stdout.includes(workload.answer)) return `${name} got from ${url}: ${stdout}${stderr}`;
  }
  return undefined;
}

async function nameAnswers(topology: Topology): Promise<string | undefined> {
  const answer = await fetchInCluster(topology, `http://${workload.host}/`);
  return answer.includes(workload.answer) ? undefined : `${workload.host} answers: ${answer}`;
}

async function names(topology: Topology): Promise<string | undefined> {
  const servers = machinesWith(topology, "server").map(({ address }) => `${address}:6443`);
  const program = join(import.meta.dirname, "../servedNames.ts");
  const printed = await must(inside(topology, [process.execPath, program, ...servers]));
  const served = z.record(z.string(), z.string()).parse(JSON.parse(printed));
  const { name, address } = topology.endpoint;
  const wanted = [`IP Address:${address}`, ...(name === address ? [] : [`DNS:${name}`])];
  const lacking = servers.filter((server) => {
    const has = served[server]?.split(", ") ?? [];
    return wanted.some((name) => !has.includes(name));
  });
  return lacking.length === 0 ? undefined : `not on ${lacking.join(", ")}`;
}

async function previewIsEmpty(topology: Topology): Promise<string | undefined> {
  const args = ["preview", "--expect-no-changes", "--diff"];
  const { exitCode, output } = await pulumi(topology, "preview", args);
  if (exitCode === 0) return undefined;
  const wanted = output.split("\n").filter((line) => /^ +[~+-]|^error:/.test(line));
  return `${wanted.slice(-3).join("; ")}: ${join(outFolder, "preview.log")}`;
}
