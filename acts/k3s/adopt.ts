import type { ActContext } from "../act.ts";
import type { LiveCluster } from "../liveCluster.ts";
import type { ControlPlaneRequest } from "../request.ts";
import { convert } from "./conversion.ts";
import { refuseOtherConfig } from "./flags.ts";
import { guardReturn } from "./returnGuard.ts";

/**
 * A server is adopted as it runs, without a restart; the endpoint enters its certificate with the conversion to etcd,
 * which is due once a second server is listed.
 */
export async function adoptK3s(
  cluster: LiveCluster,
  request: ControlPlaneRequest,
  context: ActContext,
): Promise<void> {
  if (context.verb === "create") await refuseOtherConfig(cluster, request);
  // It also ends what an earlier run left unfinished, when only one server is listed again.
  await convert(cluster, request, context);
  if (request.convert) await guardReturn(cluster.connection, request.endpoint);
  else context.progress(`${cluster.server.name} runs on as it is`);
}
