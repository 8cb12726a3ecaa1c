import type { ClusterConfig } from "../config/clusterConfig.ts";

/** What the config asks for and may have, but somebody should know at every run. */
export function warnings(config: ClusterConfig): string[] {
  return [...serverWarnings(config.servers.length), ...loadBalancerWarnings(config.loadBalancers)];
}

function serverWarnings(count: number): string[] {
  if (count % 2 === 1) return [];
  const tolerated = count / 2 - 1;
  const survives =
    tolerated === 0
      ? "when either fails, the API is gone until it returns"
      : `they survive the loss of ${tolerated}, as ${count - 1} would`;
  return [
    `servers: ${count} servers have no more quorum than ${count - 1}: ${survives}; ` +
      `list ${count - 1} or ${count + 1} unless this is a pause on the way`,
  ];
}

function loadBalancerWarnings(loadBalancers: readonly string[]): string[] {
  const [only, ...others] = loadBalancers;
  if (only === undefined || others.length > 0) return [];
  return [
    `loadBalancers: ${only} is alone: when it fails, the API can't be reached by the endpoint ` +
      "however many servers live; name a second machine",
  ];
}
