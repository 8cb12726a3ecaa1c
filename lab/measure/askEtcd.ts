import { exec } from "../machines/machine.ts";
import type { Topology } from "../topology.ts";

/**
 * Asks etcd on one server through its own JSON gateway there, as the distribution's own client.
 * @param method below `/v3/`
 * @param body the request as JSON
 * @throws when that server's etcd does not answer
 */
export async function askEtcd(
  topology: Topology,
  server: string,
  method: string,
  body: string,
): Promise<string> {
  const { port, ca, certificate, key } = topology.distribution.etcd;
  const options = ["--silent", "--show-error", "--fail", "--max-time", "5"];
  const client = ["--cacert", ca, "--cert", certificate, "--key", key];
  const url = `https://127.0.0.1:${String(port)}/v3/${method}`;
  const argv = ["curl", ...options, ...client, "--data", body, url];
  const { stdout, stderr, exitCode } = await exec(server, argv);
  if (exitCode !== 0) throw new Error(`${server}: etcd does not answer: ${stderr.trim()}`);
  return stdout;
}
