import { ApiException } from "@kubernetes/client-node";
import type { LiveCluster } from "./liveCluster.ts";

/**
 * k3s knows each Node by a password that its machine made, and refuses a machine of that name with another one. On other
 * clusters there is no such Secret.
 *
 * @returns whether there was one
 * @see https://docs.k3s.io/architecture#how-agent-node-registration-works
 */
export async function forgetNodePassword(
  { core }: Pick<LiveCluster, "core">,
  nodeName: string,
): Promise<boolean> {
  try {
    await core.deleteNamespacedSecret({
      name: `${nodeName}.node-password.k3s`,
      namespace: "kube-system",
    });
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return false;
    throw error;
  }
}
