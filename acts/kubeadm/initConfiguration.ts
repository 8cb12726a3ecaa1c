import { stringify } from "yaml";
import { endpointAddress, endpointNames } from "../endpointAddress.ts";
import { withFlags } from "./configurationFlags.ts";
import type { InitialiseRequest } from "../request.ts";

/**
 * kubeadm's configuration for a new cluster: InitConfiguration and ClusterConfiguration.
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export function initConfiguration(request: InitialiseRequest): string {
  const { initialServer } = request;
  return [
    stringify({
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "InitConfiguration",
      localAPIEndpoint: { advertiseAddress: initialServer.address, bindPort: 6443 },
      nodeRegistration: {
        name: initialServer.nodeName,
        kubeletExtraArgs: [{ name: "node-ip", value: initialServer.address }],
      },
    }),
    withFlags(
      stringify({
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "ClusterConfiguration",
        clusterName: request.clusterName,
        kubernetesVersion: request.version,
        controlPlaneEndpoint: endpointAddress(request.endpoint),
        networking: { podSubnet: request.podCidr, serviceSubnet: request.serviceCidr },
        apiServer: { certSANs: endpointNames(request.endpoint) },
        etcd: { local: { dataDir: "/var/lib/etcd" } },
      }),
      request.flags,
    ),
  ].join("---\n");
}
