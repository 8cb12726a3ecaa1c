import { strict as assert } from "node:assert";
import type { DirectLook, Sight } from "../../acts/external/lookThrough.ts";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { judgeEndpoint } from "../../observe/judgeEndpoint.ts";
import { lookAtEndpoint } from "../../observe/lookAtEndpoint.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { member, samplePlan } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];
const endpoint = { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", external: true };

function plan(
  servers: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): ClusterPlan {
  return samplePlan(servers, { endpoint, loadBalancers: [], ...more });
}

function ready(name: string): DirectLook {
  return { name, answer: { fingerprint: name, names: [], issuer: "CN=kubernetes", status: 200 } };
}

function sight(
  reached: Sight["reached"],
  serving: readonly string[],
  more: Partial<Sight> = {},
): Sight {
  const direct = serving.map(ready);
  return { asked: 12, reached, unready: {}, failures: [], strangers: [], direct, ...more };
}

const dead = { asked: 4, failures: ["ECONNREFUSED"] };
const one = [member("10.0.20.100")];
const all = [...one, member("10.0.20.110"), member("10.0.20.111")];
const everybody = { "k8s-master": 4, "k8s-master-2": 4, "k8s-master-3": 4 };

interface Case {
  readonly what: string;
  readonly plan: ClusterPlan;
  readonly sight: Sight;
  readonly members: EtcdMember[];
  readonly fault?: RegExp;
  readonly warning?: RegExp;
  /** Whether the text is printed. */
  readonly text: boolean;
}

const cases: readonly Case[] = [
  {
    what: "is silent where every server of the list is reached",
    plan: plan(three),
    sight: sight(everybody, three),
    members: all,
    text: false,
  },
  {
    what: "prints the text before the list grows, and finds nothing wrong with servers to be",
    plan: plan(three),
    sight: sight({ "k8s-master": 12 }, ["k8s-master"]),
    members: one,
    text: true,
  },
  {
    what: "warns of a server that is ready and never reached",
    plan: plan(three),
    sight: sight({ "k8s-master": 8, "k8s-master-2": 4 }, three),
    members: all,
    warning: /^k8s-master-3: it is ready, and none/,
    text: true,
  },
  {
    what: "warns where servers to be already get clients, since nobody checks them",
    plan: plan(three),
    sight: sight({ "k8s-master": 4 }, ["k8s-master"], { failures: Array(8).fill("ECONNREFUSED") }),
    members: one,
    warning: /^endpoint: 8 of 12 connections .* health check of the text/,
    text: true,
  },
  {
    what: "warns where it leads nowhere and nothing is to change",
    plan: plan(["k8s-master"]),
    sight: sight({}, ["k8s-master"], dead),
    members: one,
    warning: /leads to no server: ECONNREFUSED/,
    text: true,
  },
  {
    what: "refuses to grow where it leads nowhere: servers join by it",
    plan: plan(three),
    sight: sight({}, ["k8s-master"], dead),
    members: one,
    fault: /leads to no server: ECONNREFUSED/,
    text: true,
  },
  {
    what: "has no opinion before there is a cluster",
    plan: plan(["k8s-master"], { initialise: true }),
    sight: sight({}, [], dead),
    members: [],
    text: true,
  },
  {
    what: "refuses a leave while it leads to nobody else",
    plan: plan(["k8s-master-2", "k8s-master-3"]),
    sight: sight({ "k8s-master": 18 }, three),
    members: all,
    fault:
      /^endpoint: it leads to k8s-master only, which leaves; see that .* k8s-master-2, k8s-master-3/,
    warning: /^k8s-master-[23]: it is ready, and none/,
    text: true,
  },
  {
    what: "lets a server leave where others are reached",
    plan: plan(["k8s-master", "k8s-master-3"]),
    sight: sight(everybody, three),
    members: all,
    text: false,
  },
  {
    what: "says nothing of a leave that is only forgotten",
    plan: plan(["k8s-master-2"], { onDestroy: "forget" }),
    sight: sight({ "k8s-master": 18 }, ["k8s-master"]),
    members: all,
    text: true,
  },
];

describe("the look at an endpoint that somebody else balances", () => {
  for (const { what, plan: of, sight: seen, members, fault, warning, text } of cases) {
    it(what, () => {
      const { faults, warnings, notes } = judgeEndpoint(of, { sight: seen, name: [] }, members);
      match(faults, fault);
      match(warnings, warning);
      assert.equal(notes.length, text ? 1 : 0);
    });
  }

  it("prints what to paste, for all servers of the list, in both forms", () => {
    const seen = sight({ "k8s-master": 12 }, ["k8s-master"]);
    const [note] = judgeEndpoint(plan(three), { sight: seen, name: [] }, one).notes;
    assert.match(
      note ?? "",
      /^for the balancer at 10\.0\.20\.99, .* with k8s-master, k8s-master-2, k/,
    );
    assert.match(
      note ?? "",
      /server k8s-master-3 10\.0\.20\.111:6443[^]*pfSense[^]*Per server pass thru/,
    );
  });

  it("warns of a wrong name", () => {
    const name = ["endpoint: it resolves to nothing"];
    const { faults, warnings } = judgeEndpoint(
      plan(three),
      { sight: sight(everybody, three), name },
      all,
    );
    assert.deepEqual([faults, warnings], [[], name]);
  });

  it("is not made at an endpoint of Triad's own", async () => {
    assert.equal(await lookAtEndpoint(samplePlan(three), []), undefined);
  });
});

function match(lines: readonly string[], expected: RegExp | undefined): void {
  if (expected === undefined) {
    assert.deepEqual(lines, []);
    return;
  }
  assert.ok(lines.length > 0);
  for (const line of lines) assert.match(line, expected);
}
