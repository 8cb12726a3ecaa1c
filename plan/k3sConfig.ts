import type { ClusterConfig, FlagValue } from "../config/clusterConfig.ts";
import { networks } from "../config/defaults.ts";

/**
 * The keys of k3s's config.yaml that are the same on every server; none with kubeadm. A network is
 * named only where it is not k3s's default, so that an adopted server without the key is equal.
 * @see https://docs.k3s.io/cli/server
 */
export function k3sConfig(config: ClusterConfig): Record<string, FlagValue> {
  const { k3s, podCidr, serviceCidr } = config;
  if (k3s === undefined) return {};
  const { schedule, name, compress, retention, directory } = k3s.snapshots;
  return {
    ...k3s.config,
    ...(podCidr === networks.k3s.podCidr ? {} : { "cluster-cidr": podCidr }),
    ...(serviceCidr === networks.k3s.serviceCidr ? {} : { "service-cidr": serviceCidr }),
    "etcd-snapshot-schedule-cron": schedule,
    "etcd-snapshot-name": name,
    ...(compress ? { "etcd-snapshot-compress": true } : {}),
    "etcd-snapshot-retention": retention,
    "etcd-snapshot-dir": directory,
  };
}
