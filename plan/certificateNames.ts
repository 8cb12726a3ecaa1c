import type { EndpointConfig, MachineConfig } from "../config/clusterConfig.ts";

/**
 * The names and addresses that an API server's certificate must carry: the endpoint's and every
 * server's. kubeadm adds its own (kubernetes, the first Service address, its machine's).
 */
export function certificateNames(
  endpoint: EndpointConfig,
  servers: readonly MachineConfig[],
): string[] {
  const names = [
    endpoint.name,
    endpoint.address,
    ...servers.flatMap((server) => [server.address, server.nodeName]),
  ];
  return [...new Set(names)];
}
