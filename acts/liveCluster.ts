import { setTimeout as sleep } from "node:timers/promises";
import {
  AppsV1Api,
  type Configuration,
  CoordinationV1Api,
  CoreV1Api,
  createConfiguration,
  CustomObjectsApi,
  DiscoveryV1Api,
  KubeConfig,
  PolicyV1Api,
  RbacAuthorizationV1Api,
  ServerConfiguration,
} from "@kubernetes/client-node";
import * as z from "zod";
import { connect, type SshConnection } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { ActError, type Progress } from "./act.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import { reasonOf } from "./reasonOf.ts";
import type { Access, Machine } from "./request.ts";

/** A cluster whose API answers, and the server through which it was reached. */
export interface LiveCluster {
  readonly distribution: Distribution;
  /** By which it was found, and by which further machines are asked. */
  readonly access: Access;
  readonly server: Machine;
  readonly connection: SshConnection;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly coordination: CoordinationV1Api;
  readonly rbac: RbacAuthorizationV1Api;
  readonly policy: PolicyV1Api;
  readonly custom: CustomObjectsApi;
  readonly discovery: DiscoveryV1Api;
  close(): void;
}

const accessAnswer = z.object({
  server: z.boolean(),
  ready: z.boolean(),
  kubeconfig: z.string().optional(),
});

/** What a peer turned out to be, when it is not the server that was looked for. */
class NotALiveServer extends Error {}

/** No peer is a server whose API answers. */
export class NoLivingServer extends ActError {}

/** It may be soon: a server boots, or an act that another run began takes the API away for a while. */
class ApiNotReady extends NotALiveServer {}

const apiLimitMs = 90_000;
const requestLimitMs = 30_000;

/**
 * Finds a server whose API answers, wherever it is among the peers: the initial one may be dead. Where none answers
 * yet, one that is about to is waited for.
 *
 * @param except names of machines that don't count, such as one that is about to leave
 * @param limitMs how long to wait for one that may be ready soon, 90 s unless told
 * @throws NoLivingServer when no peer is a server whose API answers, saying of each what was seen
 */
export async function findLiveCluster(
  access: Access,
  progress: Progress,
  except: readonly string[] = [],
  limitMs = apiLimitMs,
): Promise<LiveCluster> {
  const madeWith = distributionOf(access.distribution);
  const candidates = access.peers.filter((peer) => !except.includes(peer.name));
  const deadline = Date.now() + limitMs;
  for (let told = false; ; told = true) {
    const opened = candidates.map((peer) => openCluster(peer, access, madeWith));
    const seen = await Promise.any(opened).then(
      (cluster) => ({ cluster }),
      (error: unknown) => ({ errors: error instanceof AggregateError ? error.errors : [error] }),
    );
    if ("cluster" in seen) closeOthers(opened, seen.cluster);
    if ("cluster" in seen) return seen.cluster;
    const soon = seen.errors.find((one) => one instanceof ApiNotReady);
    if (soon !== undefined && Date.now() < deadline) {
      if (!told) progress(`waiting for it: ${soon.message}`);
      await sleep(1_000);
      continue;
    }
    throw new NoLivingServer(
      `no living server was found:\n${seen.errors.map((one) => `    ${reasonOf(one)}`).join("\n")}`,
      "without one nothing is known of the cluster, and nothing is changed",
      `start one of its servers, or see that its API server runs (journalctl -u ${madeWith.units.server} there)`,
    );
  }
}

/** Those that answered later have a connection that nobody else would close. */
function closeOthers(opened: readonly Promise<LiveCluster>[], taken: LiveCluster): void {
  for (const opening of opened) {
    opening.then(
      (cluster) => {
        if (cluster !== taken) cluster.close();
      },
      () => undefined,
    );
  }
}

async function openCluster(
  server: Machine,
  access: Access,
  distribution: Distribution,
): Promise<LiveCluster> {
  const connection = await connect(server, access.identity, 5_000);
  try {
    const answer = accessAnswer.parse(
      await runScript(connection, { script: `${distribution.name}-access.sh`, verb: "check" }),
    );
    if (!answer.server) throw new NotALiveServer(`${server.name} is not a server`);
    if (!answer.ready || answer.kubeconfig === undefined) {
      throw new ApiNotReady(`${server.name} is a server, but its API is not ready`);
    }
    const kubeConfig = kubeConfigFor(server, Buffer.from(answer.kubeconfig, "base64").toString());
    const api = <Api>(type: new (configuration: Configuration) => Api): Api =>
      new type(boundedConfiguration(kubeConfig));
    return {
      distribution,
      access,
      server,
      connection,
      core: api(CoreV1Api),
      apps: api(AppsV1Api),
      coordination: api(CoordinationV1Api),
      rbac: api(RbacAuthorizationV1Api),
      policy: api(PolicyV1Api),
      custom: api(CustomObjectsApi),
      discovery: api(DiscoveryV1Api),
      close: () => connection.close(),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Each request ends within 30 s: a server that loses its power would never finish its answer. */
function boundedConfiguration(kubeConfig: KubeConfig): Configuration {
  return createConfiguration({
    baseServer: new ServerConfiguration(kubeConfig.getCurrentCluster()?.server ?? "", {}),
    authMethods: { default: kubeConfig },
    promiseMiddleware: [
      {
        pre: (request) => {
          request.setSignal(AbortSignal.timeout(requestLimitMs));
          return Promise.resolve(request);
        },
        post: (response) => Promise.resolve(response),
      },
    ],
  });
}

/** The administrator's kubeconfig, made to talk to this server itself: the endpoint may not carry yet. */
function kubeConfigFor(server: Machine, text: string): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(text);
  kubeConfig.clusters = kubeConfig.clusters.map((cluster) => ({
    ...cluster,
    server: `https://${server.address}:6443`,
  }));
  return kubeConfig;
}
