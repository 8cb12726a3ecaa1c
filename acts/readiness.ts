import { connect, type SshIdentity } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { ActError, defineAct, type Progress } from "./act.ts";
import { findLiveCluster } from "./liveCluster.ts";
import {
  ensureAccount,
  forgetOthers,
  type ReadinessToken,
  readinessToken,
} from "./readinessToken.ts";
import { reasonOf } from "./reasonOf.ts";
import { type Machine, readinessRequest } from "./request.ts";

/**
 * Every load balancer can ask the servers whether they are ready, where these answer no stranger: k3s refuses one before
 * it has looked at its storage. The credential is a bearer token of a ServiceAccount that may read `/readyz` and nothing
 * else. It lies in a Secret of the cluster and, readable by root and HAProxy, on the load balancers; never in the state.
 *
 * It does not expire. Create makes a new one, update uses the one that is there, so `pulumi up --replace
 * '**::<cluster>-readiness'` renews it: the load balancers get the new token, then the old one's Secret is deleted, and
 * servers refuse the old token within 10 s. A Secret that somebody deletes by hand takes its token along as well: until
 * the same command has been run, the load balancers use every server whose k3s runs, ready or not. Delete does nothing on
 * the cluster.
 *
 * @throws ActError when the token does not come about, or a load balancer does not take it; the others have it then,
 * and the old token stays good
 */
export const readiness = defineAct(readinessRequest, async (request, { verb, progress }) => {
  if (verb === "delete") return {};
  const { loadBalancers, identity } = request;
  const cluster = await findLiveCluster(request, progress);
  try {
    await ensureAccount(cluster);
    const token = await readinessToken(cluster, verb === "create", progress);
    await giveToAll(loadBalancers, (machine) => give(machine, identity, token, progress));
    await forgetOthers(cluster, token);
    return { loadBalancers: loadBalancers.map(({ name }) => name), secret: token.secret };
  } finally {
    cluster.close();
  }
});

/**
 * Gives it to every machine, whatever becomes of the others.
 * @throws ActError that names those which did not take it, and why
 */
export async function giveToAll(
  machines: readonly Machine[],
  give: (machine: Machine) => Promise<void>,
): Promise<void> {
  const failures: { readonly name: string; readonly reason: string }[] = [];
  await Promise.all(
    machines.map(async (machine) => {
      await give(machine).catch((error: unknown) => {
        const reason = reasonOf(error);
        failures.push({ name: machine.name, reason });
      });
    }),
  );
  if (failures.length === 0) return;
  const reasons = failures.map(({ name, reason }) => `    ${name}: ${reason}`);
  throw new ActError(
    `the readiness check of ${failures.map(({ name }) => name).join(" and ")} has no credential:\n${reasons.join("\n")}`,
    "it goes on as before; without a credential it uses every server whose k3s runs, ready or not",
    "start the machine, or see why it refuses, then run pulumi up again",
  );
}

async function give(
  machine: Machine,
  identity: SshIdentity,
  { token, ca }: ReadinessToken,
  progress: Progress,
): Promise<void> {
  const connection = await connect(machine, identity);
  try {
    const variables = { TOKEN: token, CA: ca };
    await runScript(connection, { script: "haproxy.sh", verb: "credential", variables }, (line) =>
      progress(`${machine.name}: ${line}`),
    );
  } finally {
    connection.close();
  }
}
