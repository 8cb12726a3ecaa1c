import { stringify } from "yaml";
import { endpointAddress, endpointNames } from "./clusterConfiguration.ts";
import type { ControlPlaneRequest } from "./request.ts";

const auditPolicy = "/etc/kubernetes/triad/audit-policy.yaml";

/**
 * kubeadm's configuration for a new cluster: InitConfiguration and ClusterConfiguration.
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export function initConfiguration(request: ControlPlaneRequest): string {
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
    stringify({
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "ClusterConfiguration",
      clusterName: request.clusterName,
      kubernetesVersion: request.version,
      controlPlaneEndpoint: endpointAddress(request.endpoint),
      networking: { podSubnet: request.podCidr, serviceSubnet: request.serviceCidr },
      apiServer: {
        certSANs: endpointNames(request.endpoint),
        extraArgs: asArguments({ ...request.apiServer.extraArgs, ...auditArguments(request) }),
        ...(request.apiServer.auditPolicy ? { extraVolumes: auditVolumes() } : {}),
      },
      etcd: { local: { dataDir: "/var/lib/etcd", extraArgs: asArguments(request.etcd.extraArgs) } },
    }),
  ].join("---\n");
}

function asArguments(args: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(args).map(([name, value]) => ({ name, value }));
}

function auditArguments(request: ControlPlaneRequest): Record<string, string> {
  return request.apiServer.auditPolicy
    ? { "audit-policy-file": auditPolicy, "audit-log-path": "/var/log/kubernetes/audit.log" }
    : {};
}

function auditVolumes(): object[] {
  return [
    { name: "audit-policy", hostPath: auditPolicy, mountPath: auditPolicy, readOnly: true, pathType: "File" },
    {
      name: "audit-log",
      hostPath: "/var/log/kubernetes",
      mountPath: "/var/log/kubernetes",
      pathType: "DirectoryOrCreate",
    },
  ];
}
