import { strict as assert } from "node:assert";
import { Cluster } from "../../components/cluster.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { type Registered, registeredBy } from "../support/mocks.ts";
import { sampleK3sPlan, samplePlan } from "../support/samplePlan.ts";

const three = ["thinkpad-192-168-1-5", "shuttle-192-168-1-12", "hp-192-168-1-6"];
const [first = ""] = three;

function build(plan: ClusterPlan): Promise<Registered[]> {
  return registeredBy(() => {
    new Cluster("homelab", { plan, tsigSecret: undefined, auditPolicy: "" });
  });
}

function names(registered: readonly Registered[], type: string): string[] {
  return registered.filter((one) => one.type === type).map(({ name }) => name);
}

function stdin(registered: readonly Registered[], name: string): unknown {
  return registered.find((one) => one.name === name)?.inputs["stdin"];
}

describe("the resources of a k3s cluster", () => {
  it("are those of a kubeadm cluster, but for what is each distribution's own", async () => {
    const kinds = async (plan: ClusterPlan): Promise<string[]> => {
      const acts = (await build(plan)).filter(({ type }) => type === "command:local:Command");
      const ran = acts.flatMap(
        ({ inputs }) => /main\.ts (\w+)/.exec(String(inputs["create"]))?.[1] ?? [],
      );
      return [...new Set(ran)].sort();
    };
    const k3s = await kinds(sampleK3sPlan(three));
    const kubeadm = await kinds(samplePlan(["k8s-master", "k8s-master-2", "k8s-master-3"]));
    assert.deepEqual(
      k3s.filter((one) => !kubeadm.includes(one)),
      ["readiness"],
    );
    assert.deepEqual(
      kubeadm.filter((one) => !k3s.includes(one)),
      ["coreDns", "kubeProxy"],
    );
  });

  it("put a load balancer on every server where none is named", async () => {
    const registered = await build(sampleK3sPlan(three));
    assert.deepEqual(names(registered, "triad:index:LoadBalancer"), three);
    const scripts = names(registered, "command:remote:Command");
    for (const server of three) {
      assert.ok(scripts.includes(`${server}-haproxy`), server);
      assert.ok(scripts.includes(`${server}-keepalived`), server);
    }
    assert.ok(!scripts.includes("odroid1-haproxy"));
  });

  it("let the endpoint come after the servers' load balancers", async () => {
    const order = (await build(sampleK3sPlan(three))).map(({ name }) => name);
    for (const server of three) {
      assert.ok(order.indexOf("homelab-up") > order.indexOf(`${server}-keepalived`), server);
    }
  });

  it("stay the same for a server when workers become servers", async () => {
    const before = await build(sampleK3sPlan());
    const after = await build(sampleK3sPlan(three));
    for (const what of ["membership", "preflight", "kubernetes"]) {
      assert.deepEqual(stdin(after, `${first}-${what}`), stdin(before, `${first}-${what}`), what);
    }
    assert.deepEqual(stdin(after, "homelab-up"), stdin(before, "homelab-up"));
  });

  it("stop after the server at which to pause, and leave those after it as they are", async () => {
    const registered = await build(sampleK3sPlan(three, { pauseAfter: "shuttle-192-168-1-12" }));
    assert.deepEqual(names(registered, "triad:index:Server"), three.slice(0, 2));
    assert.deepEqual(
      registered.filter(({ name }) => name.startsWith("hp-192-168-1-6")),
      [],
    );
  });
});
