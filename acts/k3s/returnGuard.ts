import type { SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import type { Endpoint } from "../request.ts";

/** A server that is removed while it is off must not join again by itself when it comes back. Nothing restarts. */
export async function guardReturn(
  connection: SshConnection,
  { address, port }: Endpoint,
): Promise<void> {
  const variables = { ENDPOINT: `${address}:${port}` };
  await runScript(connection, { script: "k3s-return.sh", verb: "ensure", variables });
}
