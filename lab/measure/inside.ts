import { must, run } from "../machines/shell.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { statePaths } from "../paths.ts";
import { initialServerOf, type Topology } from "../topology.ts";

/** A command line that runs where the operator sits: inside the lab's network namespace. */
export function inside(topology: Topology, argv: readonly string[]): string[] {
  return ["ip", "netns", "exec", topology.namespace, ...argv];
}

/**
 * Runs kubectl as the lab's administrator and gives what it printed. It goes through the endpoint, or straight to
 * the initial server while the endpoint does not answer, as in the before-state.
 * @throws when kubectl fails
 */
export async function kubectl(
  topology: Topology,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const server = `--server=${await apiAddress(topology)}`;
  const argv = inside(topology, ["kubectl", server, "--request-timeout=20s", ...args]);
  const env = await operatorEnvironment(topology);
  return must(argv, { env, ...(input === undefined ? {} : { input }) });
}

/** Straight to the server only if that one answers and the endpoint does not: either may be slow for a moment. */
async function apiAddress(topology: Topology): Promise<string> {
  const { namespace, endpoint } = topology;
  const url = `https://${endpoint.address}:${String(endpoint.port)}`;
  const server = initialServerOf(topology);
  const direct = `https://${server.address}:6443`;
  const [byEndpoint, byServer] = await Promise.all([
    answers(namespace, url),
    answers(namespace, direct),
  ]);
  return !byEndpoint && byServer ? direct : url;
}

/**
 * An API server that does not know strangers, as k3s', says 401 to them: it answers all the same. Not so one whose
 * certificate does not name the endpoint yet.
 */
async function answers(namespace: string, url: string): Promise<boolean> {
  const status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
  const verified = ["--cacert", statePaths.clusterCa];
  const ask = ["curl", "--silent", ...verified, "--max-time", "1", ...status, `${url}/readyz`];
  const { stdout } = await run(["ip", "netns", "exec", namespace, ...ask]);
  return stdout === "200" || stdout === "401";
}
