import { ApiException } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { endpointAddress, endpointNames } from "../endpointAddress.ts";
import { editYaml } from "./editYaml.ts";
import type { LiveCluster } from "../liveCluster.ts";
import type { Endpoint } from "../request.ts";

/** Reads kubeadm's own configuration of the cluster, as YAML. */
export async function readClusterConfiguration(cluster: LiveCluster): Promise<string> {
  const { data } = await cluster.core.readNamespacedConfigMap({
    name: "kubeadm-config",
    namespace: "kube-system",
  });
  return z.object({ ClusterConfiguration: z.string() }).parse(data).ClusterConfiguration;
}

const found = z.looseObject({
  apiServer: z.looseObject({ certSANs: z.array(z.string()).optional() }).optional(),
});

/**
 * The same ClusterConfiguration with a stable endpoint, and the endpoint in the certificates. Everything else
 * stays, names that were in the certificate before too.
 */
export function withEndpoint(clusterConfiguration: string, endpoint: Endpoint): string {
  const present = found.parse(parse(clusterConfiguration)).apiServer?.certSANs ?? [];
  const names = [...new Set([...present, ...endpointNames(endpoint)])];
  return editYaml(clusterConfiguration, (document) => {
    document.set("controlPlaneEndpoint", endpointAddress(endpoint));
    document.setIn(["apiServer", "certSANs"], document.createNode(names));
  });
}

/**
 * Points the kubeconfig inside a ConfigMap to the endpoint. kubeadm keeps two such copies, which nothing else
 * updates: for joiners in kube-public/cluster-info, for kube-proxy in kube-system/kube-proxy.
 *
 * @returns whether it had to be changed
 */
export async function pointConfigMap(
  cluster: LiveCluster,
  where: { namespace: string; name: string; key: string },
  endpoint: Endpoint,
): Promise<boolean> {
  const { namespace, name, key } = where;
  for (let attempt = 1; ; attempt += 1) {
    const body = await cluster.core.readNamespacedConfigMap({ namespace, name });
    const pointed = pointKubeconfig(body.data?.[key] ?? "", endpoint);
    if (pointed === body.data?.[key]) return false;
    try {
      body.data = { ...body.data, [key]: pointed };
      await cluster.core.replaceNamespacedConfigMap({ namespace, name, body });
      return true;
    } catch (error) {
      if (!(error instanceof ApiException && error.code === 409) || attempt === 5) throw error;
    }
  }
}

const kubeconfig = z.looseObject({
  clusters: z.array(z.looseObject({ cluster: z.looseObject({ server: z.string() }) })),
});

/** A kubeconfig whose clusters are all reached through the endpoint. */
export function pointKubeconfig(text: string, endpoint: Endpoint): string {
  const server = `https://${endpointAddress(endpoint)}`;
  const parsed = kubeconfig.parse(parse(text));
  if (parsed.clusters.every(({ cluster }) => cluster.server === server)) return text;
  return stringify({
    ...parsed,
    clusters: parsed.clusters.map((one) => ({ ...one, cluster: { ...one.cluster, server } })),
  });
}
