import { setTimeout as sleep } from "node:timers/promises";
import { runScript } from "../../ssh/runScript.ts";
import type { LiveCluster } from "../liveCluster.ts";
import type { Machine } from "../request.ts";

/** How long the proxies of all nodes have to hear of it, in ms. */
const heardMs = 1_000;

const kubernetes = { name: "kubernetes", namespace: "default" };

/**
 * Takes a server out of the Service `kubernetes`, by which pods reach the API. k3s ends without doing so itself; the
 * others would name it for as long as its lease lasts, 15 s, and until their next look at the leases, 10 s.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/controlplane/reconcilers/lease.go
 */
export async function hideK3sServer(
  { connection, discovery }: LiveCluster,
  { address }: Machine,
): Promise<void> {
  await runScript(connection, {
    script: "k3s-etcd.sh",
    verb: "hide",
    variables: { ADDRESS: address },
  });
  const slice = await discovery.readNamespacedEndpointSlice(kubernetes);
  const endpoints = slice.endpoints.filter(({ addresses }) => !addresses.includes(address));
  if (endpoints.length === 0 || endpoints.length === slice.endpoints.length) return;
  await discovery.replaceNamespacedEndpointSlice({ ...kubernetes, body: { ...slice, endpoints } });
  await sleep(heardMs);
}
