import { connect, type SshIdentity } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import type { Progress } from "./act.ts";
import type { Machine } from "./request.ts";

/**
 * Lets a server have clients, on every load balancer; waits there until its readiness check says so.
 * @throws SshError, ScriptError when one cannot be told: it would leave the server out
 */
export async function enableServer(
  loadBalancers: readonly Machine[],
  identity: SshIdentity,
  server: Machine,
  progress: Progress,
): Promise<void> {
  await Promise.all(
    loadBalancers.map((machine) => tell(machine, identity, "enable", server, progress)),
  );
}

/** Takes a server's new connections away, on every load balancer that answers; one that is off sends it none. */
export async function drainServer(
  loadBalancers: readonly Machine[],
  identity: SshIdentity,
  server: Machine,
  progress: Progress,
): Promise<void> {
  const results = await Promise.allSettled(
    loadBalancers.map((machine) => tell(machine, identity, "drain", server, progress)),
  );
  for (const result of results) {
    if (result.status === "rejected") progress(`warning: ${String(result.reason)}`);
  }
}

async function tell(
  machine: Machine,
  identity: SshIdentity,
  verb: "enable" | "drain",
  server: Machine,
  progress: Progress,
): Promise<void> {
  const connection = await connect(machine, identity);
  try {
    await runScript(
      connection,
      { script: "haproxy.sh", verb, variables: { SERVER: server.name } },
      (line) => progress(`${machine.name}: ${line}`),
    );
  } finally {
    connection.close();
  }
}
