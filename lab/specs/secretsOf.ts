import { readFileSync } from "node:fs";
import type { LabDistribution } from "../distribution.ts";
import { exec } from "../machines/machine.ts";
import { kubectl } from "../measure/inside.ts";
import { statePaths } from "../paths.ts";
import { initialServerOf, machinesWith, type Topology } from "../topology.ts";

/** A secret, and what to call it without telling it. */
export type Secret = readonly [string, string];

/** What must be seen nowhere: the lab's own secrets and those of its cluster. */
export async function secretsOf(topology: Topology): Promise<Secret[]> {
  return [
    ["the TSIG key", readFileSync(statePaths.tsigSecret, "utf8").trim()],
    ["the operator's SSH key", readFileSync(statePaths.sshKey, "utf8").split("\n")[3] ?? ""],
    ["the stack's passphrase", readFileSync(statePaths.passphrase, "utf8").trim()],
    ...(await ways[topology.distribution.name](topology)),
  ];
}

const ways: Readonly<Record<LabDistribution["name"], (topology: Topology) => Promise<Secret[]>>> = {
  kubeadm: bootstrapTokens,
  k3s: async (topology) => [
    ...(await k3sToken(topology)),
    ...(await nodePasswords(topology)),
    ...(await readinessToken(topology)),
  ],
};

async function bootstrapTokens(topology: Topology): Promise<Secret[]> {
  const template = `{{range .items}}{{if eq .type "bootstrap.kubernetes.io/token"}}{{index .data "token-secret" | base64decode}}{{"\\n"}}{{end}}{{end}}`;
  const args = ["get", "secrets", "--namespace=kube-system", `-o=go-template=${template}`];
  const lines = (await kubectl(topology, args)).split("\n").filter((line) => line !== "");
  return lines.map((line) => ["a bootstrap token", line]);
}

/** Its last part, which alone is enough to join. */
async function k3sToken(topology: Topology): Promise<Secret[]> {
  const { name } = initialServerOf(topology);
  const { stdout } = await exec(name, ["cat", "/var/lib/rancher/k3s/server/token"]);
  return [["the servers' token", stdout.trim().split(":").at(-1) ?? ""]];
}

async function nodePasswords(topology: Topology): Promise<Secret[]> {
  const members = [...machinesWith(topology, "server"), ...machinesWith(topology, "worker")];
  return await Promise.all(
    members.map(async ({ name }): Promise<Secret> => {
      const { stdout } = await exec(name, ["cat", "/etc/rancher/node/password"]);
      return [`the node password of ${name}`, stdout.trim()];
    }),
  );
}

async function readinessToken(topology: Topology): Promise<Secret[]> {
  const selector = "--selector=app.kubernetes.io/name=triad-readiness";
  const template = `-o=go-template={{range .items}}{{.data.token | base64decode}}{{"\\n"}}{{end}}`;
  const args = ["get", "secrets", selector, "--namespace=kube-system", template];
  const lines = (await kubectl(topology, args)).split("\n").filter((line) => line !== "");
  return lines.map((line) => ["the load balancers' token", line]);
}
