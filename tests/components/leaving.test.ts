import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../../components/cluster.ts";
import type { ServerOutput } from "../../components/leaving.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { repositoryFolder } from "../../tools/toolchain/paths.ts";
import { type Registered, registeredBy } from "../support/mocks.ts";
import { sampleK3sPlan, samplePlan, withGone } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];
const home = ["thinkpad-192-168-1-5", "shuttle-192-168-1-12", "hp-192-168-1-6"];

function build(plan: ClusterPlan): Promise<Registered[]> {
  return registeredBy(() => {
    new Cluster("homelab", { plan, tsigSecret: pulumi.secret("dHNpZw=="), auditPolicy: "" });
  });
}

function inputsOf(registered: readonly Registered[], name: string): Record<string, unknown> {
  const found = registered.find((one) => one.name === name && one.type.startsWith("command:"));
  assert.ok(found, `${name} is not registered`);
  return found.inputs;
}

function request(registered: readonly Registered[], name: string): Record<string, unknown> {
  return JSON.parse(String(inputsOf(registered, name)["stdin"]));
}

/** A variable of a script's header; the script is secret where a variable is. */
function variable(
  registered: readonly Registered[],
  name: string,
  key: string,
): string | undefined {
  const { stdin } = inputsOf(registered, name);
  const text = typeof stdin === "string" ? stdin : JSON.stringify(stdin).replaceAll("\\n", "\n");
  return new RegExp(`^${key}='(.*)'$`, "m").exec(text)?.[1];
}

/** Resources whose inputs differ, or that only one of the two has. */
function differences(before: readonly Registered[], after: readonly Registered[]): string[] {
  const known = new Map(before.map((one) => [`${one.type} ${one.name}`, one.inputs]));
  const changed = after.filter((one) => {
    const inputs = known.get(`${one.type} ${one.name}`);
    return inputs !== undefined && JSON.stringify(inputs) !== JSON.stringify(one.inputs);
  });
  return changed.map(({ name }) => name).sort();
}

describe("a server that leaves", () => {
  it("changes on others what names it, and no membership and no worker", async () => {
    const before = await build(samplePlan(three));
    const after = await build(samplePlan(three.slice(0, 2)));
    assert.deepEqual(differences(before, after), [
      "homelab-backup",
      "homelab-verified",
      "lb1-haproxy",
      "lb2-haproxy",
    ]);
  });

  it("may be the initial one: only who had to reach it looks for the next", async () => {
    const before = await build(samplePlan(three));
    const after = await build(samplePlan(three.slice(1)));
    assert.deepEqual(differences(before, after), [
      "homelab-backup",
      "homelab-verified",
      "k8s-master-2-preflight",
      "k8s-master-3-preflight",
      "lb1-haproxy",
      "lb1-preflight",
      "lb2-haproxy",
      "lb2-preflight",
    ]);
  });

  it("is told what it becomes and how to end only where that is not the usual", async () => {
    const usual = request(await build(samplePlan(three)), "k8s-master-2-membership");
    for (const key of ["gone", "becomes", "onDestroy"]) assert.ok(!(key in usual), key);
    const plan = samplePlan(three, { onDestroy: "wipe", wipe: "homelab" });
    assert.equal(request(await build(plan), "k8s-master-2-membership")["onDestroy"], "wipe");
  });

  it("tells its load balancer that it is a server's own", async () => {
    const own = await build(sampleK3sPlan(home));
    const named = await build(samplePlan(three));
    for (const script of ["haproxy", "keepalived"]) {
      assert.equal(variable(own, `${home[1]}-${script}`, "OWN"), "true");
      assert.equal(variable(named, `lb1-${script}`, "OWN"), "");
      assert.equal(variable(named, `lb1-${script}`, "ON_DESTROY"), "leave");
    }
  });

  it("is told of in the stack's outputs, with its exact URN", async () => {
    let servers: Record<string, ServerOutput> = {};
    await registeredBy(() => {
      const plan = samplePlan(three, withGone("k8s-master-3"));
      const cluster = new Cluster("homelab", { plan, tsigSecret: undefined, auditPolicy: "" });
      cluster.servers.apply((known) => (servers = known));
    });
    assert.deepEqual(Object.keys(servers), three.slice(0, 2));
    const { address, leave, urn } = servers["k8s-master-2"] ?? {};
    assert.equal(address, "10.0.20.110");
    assert.match(urn ?? "", /::triad:index:Cluster\$triad:index:Server::k8s-master-2$/);
    assert.ok(leave?.includes(`'${urn}'`));
  });
});

describe("an old delete", () => {
  it("finds its act by the path and the name that it remembers", async () => {
    const registered = [...(await build(samplePlan(three))), ...(await build(sampleK3sPlan(home)))];
    const acts = registered.flatMap(
      ({ inputs }) =>
        /^node acts\/main\.ts (\w+) delete$/.exec(String(inputs["delete"]))?.[1] ?? [],
    );
    // States of earlier versions hold these names, and so must those to come.
    const names = [
      ...["backup", "controlPlane", "coreDns", "endpoint", "kubeProxy"],
      ...["membership", "readiness", "verification", "worker"],
    ];
    assert.deepEqual([...new Set(acts)].sort(), names);
    const { stderr } = spawnSync("node", ["acts/main.ts"], { cwd: repositoryFolder });
    const [, known = ""] = /<(.+?)>/.exec(stderr.toString()) ?? [];
    for (const name of names) assert.ok(known.split("|").includes(name), name);
  });
});

describe("what a destroy runs on machines", () => {
  const deletes = async (plan: ClusterPlan): Promise<string[]> =>
    (await build(plan))
      .filter(({ type, inputs }) => type === "command:remote:Command" && inputs["delete"])
      .map(({ name }) => name.replace(/^.*-/, ""))
      .filter((what, position, all) => all.indexOf(what) === position)
      .sort();

  it("is the scripts' remove, and leaves the endpoint's record", async () => {
    assert.deepEqual(await deletes(samplePlan(three)), ["haproxy", "keepalived", "kubernetes"]);
  });

  it("is nothing where the cluster is to be forgotten", async () => {
    const forgotten = samplePlan(three, { onDestroy: "forget" });
    assert.deepEqual(await deletes(forgotten), []);
    const registered = await build(forgotten);
    assert.equal(inputsOf(registered, "homelab-verified")["delete"], undefined);
    // It does nothing either, by what it is told.
    assert.equal(request(registered, "k8s-master-membership")["onDestroy"], "forget");
  });

  it("takes the record too where all is to be wiped", async () => {
    const plan = samplePlan(three, { onDestroy: "wipe", wipe: "homelab" });
    assert.deepEqual(await deletes(plan), ["dns", "haproxy", "keepalived", "kubernetes"]);
    assert.equal(variable(await build(plan), "homelab-dns", "ON_DESTROY"), "wipe");
  });
});

describe("a machine that is gone", () => {
  const gone = samplePlan(three, withGone("k8s-master", "lb1", "k8s-node1"));

  it("keeps its resources, with nothing for the provider to run there", async () => {
    const registered = await build(gone);
    const names = (found: readonly Registered[]): string[] =>
      found.map(({ type, name }) => `${type} ${name}`).sort();
    assert.deepEqual(names(registered), names(await build(samplePlan(three))));
    for (const machine of ["k8s-master", "lb1", "k8s-node1"]) {
      const own = registered.filter(
        ({ type, name }) =>
          type === "command:remote:Command" &&
          new RegExp(`^${machine}-(preflight|kubernetes|haproxy|keepalived)$`).test(name),
      );
      assert.ok(own.length >= 2, machine);
      for (const { name, inputs } of own) {
        for (const verb of ["create", "update", "delete", "stdin"]) {
          assert.ok(!(verb in inputs), `${name} ${verb}`);
        }
      }
    }
  });

  it("is what its membership, or its move to the endpoint, is told", async () => {
    const registered = await build(gone);
    assert.equal(request(registered, "k8s-master-membership")["gone"], true);
    assert.equal(request(registered, "k8s-node1-worker")["gone"], true);
    assert.ok(!("gone" in request(registered, "k8s-master-2-membership")));
  });

  it("leaves before a new server joins, whatever its place in the list", async () => {
    const plan = samplePlan(three, withGone("k8s-master-3"));
    const order = (await build(plan)).map(({ name }) => name);
    const memberships = order.filter((name) => name.endsWith("-membership"));
    assert.deepEqual(memberships, [
      "k8s-master-3-membership",
      "k8s-master-membership",
      "k8s-master-2-membership",
    ]);
  });

  it("is nobody whom others name", async () => {
    const registered = await build(gone);
    assert.equal(
      variable(registered, "lb2-haproxy", "SERVERS"),
      "k8s-master-2=10.0.20.110 k8s-master-3=10.0.20.111",
    );
    assert.equal(variable(registered, "lb2-haproxy", "INITIAL_SERVER"), "k8s-master-2");
    assert.equal(variable(registered, "lb2-keepalived", "PEERS"), "");
    assert.doesNotMatch(variable(registered, "k8s-master-3-preflight", "PEERS") ?? "", /20\.100/);
    const verified = request(registered, "homelab-verified");
    assert.deepEqual(verified["servers"], ["k8s-master-2", "k8s-master-3"]);
    assert.doesNotMatch(JSON.stringify(verified["workers"]), /k8s-node1/);
    assert.doesNotMatch(JSON.stringify(verified["balancers"]), /lb1/);
    const { connection } = inputsOf(registered, "homelab-dns");
    assert.match(JSON.stringify(connection), /10\.0\.20\.98/);
  });

  it("changes no other membership and no other worker", async () => {
    const before = await build(samplePlan(three));
    const after = await build(samplePlan(three, withGone("k8s-master-3")));
    assert.deepEqual(differences(before, after), [
      "homelab-backup",
      "homelab-verified",
      "k8s-master-3-kubernetes",
      "k8s-master-3-membership",
      "k8s-master-3-preflight",
      "lb1-haproxy",
      "lb2-haproxy",
    ]);
  });
});
