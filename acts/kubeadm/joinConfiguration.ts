import { stringify } from "yaml";
import * as z from "zod";
import { endpointAddress } from "../endpointAddress.ts";
import type { Endpoint, Machine } from "../request.ts";

/** What `kubeadm-credentials.sh` mints: secret, and worthless within hours. */
export const joinCredentials = z.object({
  certificateKey: z.string(),
  token: z.string(),
  caCertHash: z.string(),
});
export type JoinCredentials = z.infer<typeof joinCredentials>;

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/**
 * kubeadm's JoinConfiguration for a server.
 *
 * @param taints those that the servers of this cluster have: a homelab often runs its workload on them
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export function joinConfiguration(
  machine: Machine,
  endpoint: Endpoint,
  credentials: JoinCredentials,
  taints: readonly Taint[],
): string {
  return stringify({
    apiVersion: "kubeadm.k8s.io/v1beta4",
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: endpointAddress(endpoint),
        token: credentials.token,
        caCertHashes: [credentials.caCertHash],
      },
    },
    controlPlane: {
      certificateKey: credentials.certificateKey,
      localAPIEndpoint: { advertiseAddress: machine.address, bindPort: 6443 },
    },
    nodeRegistration: {
      name: machine.nodeName,
      taints,
      kubeletExtraArgs: [{ name: "node-ip", value: machine.address }],
    },
  });
}
