import { parseArgs } from "node:util";
import { readCredentials } from "./credentials.ts";
import type { Target } from "./request.ts";
import { Way } from "./way.ts";

/**
 * Reads the arguments that probe and writer share: `--kubeconfig FILE --server HOST:PORT --endpoint HOST:PORT
 * --out FILE`.
 * @throws when one is missing
 */
export function readArguments(): { way: Way; out: string } {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string" },
      server: { type: "string" },
      endpoint: { type: "string" },
      out: { type: "string" },
    },
  });
  const { kubeconfig, server, endpoint, out } = values;
  if (!kubeconfig || !server || !endpoint || !out) {
    throw new Error("--kubeconfig, --server, --endpoint and --out are all needed");
  }
  return { way: new Way(target(server), target(endpoint), readCredentials(kubeconfig)), out };
}

function target(address: string): Target {
  const { hostname, port } = new URL(`https://${address}`);
  return { host: hostname, port: Number(port) || 443 };
}
