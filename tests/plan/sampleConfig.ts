import type { ClusterConfig } from "../../config/clusterConfig.ts";
import { parseConfig } from "../../config/parse.ts";

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMl9mVSCtVMaZRbaj+GLCL3ODspXU0LXJQzMP2NF0lIm";

/** Who is listed; every name is described, and so are those that are only described. */
export interface Names {
  readonly servers: readonly string[];
  readonly workers?: readonly string[];
  readonly loadBalancers?: readonly string[];
  readonly described?: readonly string[];
}

/**
 * A config with these machines. Addresses follow from the names' order in the alphabet, so that the
 * same names have the same addresses whatever their roles.
 */
export function sampleConfig(names: Names, more: Record<string, unknown> = {}): ClusterConfig {
  const { servers, workers = [], loadBalancers = ["lb1", "lb2"], described = [] } = names;
  const all = [...new Set([...servers, ...workers, ...loadBalancers, ...described])].sort();
  return parseConfig({
    name: "sample",
    distribution: "kubeadm",
    version: "v1.34.2",
    machines: Object.fromEntries(
      all.map((name, position) => [
        name,
        { address: `10.0.20.${100 + position}`, hostKey: HOST_KEY },
      ]),
    ),
    servers,
    workers,
    loadBalancers,
    endpoint: { name: "api.homelab.example", address: "10.0.20.99" },
    ssh: { user: "ops", agent: true },
    ...more,
  });
}

/** The same on k3s, where the servers balance themselves unless load balancers are named. */
export function sampleK3sConfig(names: Names, more: Record<string, unknown> = {}): ClusterConfig {
  return sampleConfig(
    { loadBalancers: [], ...names },
    { distribution: "k3s", version: "v1.34.2+k3s1", endpoint: { address: "10.0.20.99" }, ...more },
  );
}
