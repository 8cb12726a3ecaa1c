import { strict as assert } from "node:assert";
import type { V1Node } from "@kubernetes/client-node";
import { machineOf as machineOfNode, restartWatchers } from "../../../acts/k3s/watchers.ts";
import { ActError } from "../../../acts/act.ts";
import type { ControlPlaneRequest } from "../../../acts/request.ts";
import { machineOf } from "./doubles.ts";
import { endpoint, flags } from "./found.ts";

const thinkpad = machineOf("thinkpad", "192.168.1.5");
const request: ControlPlaneRequest = {
  distribution: "k3s",
  identity: { agent: false },
  peers: [thinkpad, machineOf("shuttle", "127.0.0.1")],
  version: "v1.33.5+k3s1",
  initialise: false,
  initialServer: thinkpad,
  endpoint,
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  clusterName: "homelab",
  flags,
  convert: true,
  keepRunning: ["web/shop"],
};

function nodeOf(name: string, address: string, labels: Record<string, string> = {}): V1Node {
  return { metadata: { name, labels }, status: { addresses: [{ type: "InternalIP", address }] } };
}
const server = nodeOf("thinkpad", "192.168.1.5", {
  "node-role.kubernetes.io/control-plane": "true",
});

interface Patch {
  readonly namespace: string;
  readonly name: string;
  readonly body: { spec: { template: { metadata: { annotations: Record<string, string> } } } };
}

type Fate = "comes up" | "hangs";

/** A cluster of Deployments that talk to the API, by namespace/name; one that hangs does so until its limit is over. */
function cluster(workloads: Readonly<Record<string, Fate>>, nodes: V1Node[] = [server]) {
  const annotated: string[] = [];
  const items = Object.keys(workloads).map((path) => {
    const [namespace = "", name = ""] = path.split("/");
    const labels = name === "coredns" ? { "k8s-app": "kube-dns" } : {};
    return {
      metadata: { namespace, name, labels, generation: 1 },
      spec: { replicas: 1, template: { spec: { serviceAccountName: name } } },
      status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1 },
    };
  });
  const none = async () => ({ items: [] });
  const cluster = {
    distribution: { name: "k3s", units: { worker: "k3s-agent" } },
    core: { listNode: async () => ({ items: nodes }) },
    coordination: { readNamespacedLease: async () => ({ spec: {} }) },
    apps: {
      listDeploymentForAllNamespaces: async () => ({ items }),
      listDaemonSetForAllNamespaces: none,
      listStatefulSetForAllNamespaces: none,
      patchNamespacedDeployment: async ({ namespace, name, body }: Patch) => {
        const { annotations } = body.spec.template.metadata;
        annotated.push(`${namespace}/${name} ${annotations["triad.dev/conversion"]}`);
      },
      readNamespacedDeployment: async ({ namespace, name }: Record<string, string>) => {
        if (workloads[`${namespace}/${name}`] === "hangs") {
          throw new ActError(`waited 300 s for ${name}`, "", "");
        }
        return items.find(
          ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
        );
      },
    },
  };
  const lines: string[] = [];
  return {
    annotated,
    lines,
    restart: () =>
      restartWatchers(
        // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest is not used
        cluster as unknown as Parameters<typeof restartWatchers>[0],
        request,
        "1700000000",
        (line) => lines.push(line),
      ),
  };
}

describe("whatever watched the API before a conversion", () => {
  it("is restarted with the conversion's time as its reason, CoreDNS first", async () => {
    const one = cluster({ "argocd/server": "comes up", "kube-system/coredns": "comes up" });
    await one.restart();
    assert.deepEqual(one.annotated, ["kube-system/coredns 1700000000", "argocd/server 1700000000"]);
  });

  it("is left alone where the config says so, with a warning", async () => {
    const one = cluster({ "web/shop": "comes up" });
    await one.restart();
    assert.deepEqual(one.annotated, []);
    assert.match(one.lines.join("\n"), /warning: Deployment web\/shop is kept running/);
  });

  it("goes on after one workload that does not come up, and stops at a second", async () => {
    const one = cluster({ "a/one": "hangs", "a/two": "comes up" });
    await one.restart();
    assert.deepEqual(one.annotated.length, 2);
    assert.match(one.lines.join("\n"), /warning: waited 300 s for one/);
    const two = cluster({ "a/one": "hangs", "a/two": "hangs", "b/three": "comes up" });
    await assert.rejects(two.restart(), /several workloads[^]*for one\n[^]*for two/);
    assert.equal(two.annotated.length, 2);
  });

  it("stops at once where CoreDNS does not come up", async () => {
    const one = cluster({ "kube-system/coredns": "hangs", "a/two": "comes up" });
    await assert.rejects(one.restart(), /waited 300 s for coredns/);
    assert.equal(one.annotated.length, 1);
  });

  it("is told at the end where it is an agent that does not answer, after all else was restarted", async () => {
    const nodes = [server, nodeOf("shuttle", "127.0.0.1"), nodeOf("odroid9", "192.168.1.99")];
    const one = cluster({ "argocd/server": "comes up" }, nodes);
    await assert.rejects(one.restart(), (error: Error) => {
      assert.match(error.message, /shuttle: shuttle .*does not answer SSH/);
      assert.match(error.message, /odroid9: triad:machines describes no machine/);
      return true;
    });
    assert.deepEqual(one.annotated, ["argocd/server 1700000000"]);
  });

  it("is found among the machines by its Node's name, else by its address", () => {
    const machines = request.peers;
    assert.equal(machineOfNode(nodeOf("shuttle", "10.0.0.1"), machines)?.name, "shuttle");
    assert.equal(machineOfNode(nodeOf("other", "192.168.1.5"), machines)?.name, "thinkpad");
    assert.equal(machineOfNode(nodeOf("other", "10.0.0.1"), machines), undefined);
  });
});
