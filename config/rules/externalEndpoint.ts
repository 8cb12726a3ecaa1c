import type { Fault } from "../configError.ts";
import { isExternal } from "../defaults.ts";
import type { ConfigDraft } from "../salvage.ts";

/**
 * The most that an API server may go on serving while it says that it is not ready, in seconds: kubelet kills a static
 * pod 30 s after it was told to end.
 */
const longestDelay = 25;

/** An endpoint that somebody else balances: then nobody else does, and its servers can be told apart and asked. */
export function externalEndpoint(draft: ConfigDraft): Fault[] {
  if (!isExternal(draft)) return [];
  return [...k3sServers(draft), ...twoBalancers(draft), ...routerId(draft), ...delay(draft)];
}

/** k3s's servers share one certificate, answer strangers 401 before they know whether they are ready, and end at once. */
function k3sServers({ distribution }: ConfigDraft): Fault[] {
  if (distribution !== "k3s") return [];
  return [
    {
      path: "endpoint.external",
      problem:
        "is for kubeadm only: k3s answers no health check without a credential, and through a balancer its servers can't be told apart",
      cure: "leave it out, and name loadBalancers or let the servers balance themselves",
    },
  ];
}

function twoBalancers({ loadBalancers = [] }: ConfigDraft): Fault[] {
  if (loadBalancers.length === 0) return [];
  return [
    {
      path: "loadBalancers",
      problem: `names ${loadBalancers.length === 1 ? "a machine" : `${loadBalancers.length} machines`}, while endpoint.external says that somebody else balances`,
      cure: "leave out one of the two",
    },
  ];
}

function routerId({ endpoint }: ConfigDraft): Fault[] {
  if (endpoint?.virtualRouterId === undefined) return [];
  const problem = "says nothing to a balancer that somebody else runs";
  return [{ path: "endpoint.virtualRouterId", problem, cure: "leave it out" }];
}

function delay({ apiServer }: ConfigDraft): Fault[] {
  const given = apiServer?.extraArgs?.["shutdown-delay-duration"];
  const seconds = given === undefined ? undefined : /^(\d+)s$/.exec(given)?.[1];
  if (given === undefined || (seconds !== undefined && isBetween(Number(seconds)))) return [];
  return [
    {
      path: "apiServer.extraArgs.shutdown-delay-duration",
      problem: `${given} is no time in which a balancer sees that a server ends, before kubelet kills it after 30 s`,
      cure: `give seconds, 5s to ${longestDelay}s, or leave it out`,
    },
  ];
}

function isBetween(seconds: number): boolean {
  return seconds >= 5 && seconds <= longestDelay;
}
