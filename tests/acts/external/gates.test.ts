import { strict as assert } from "node:assert";
import {
  endpointLeads,
  expectOthersReached,
  expectReached,
  type Looking,
} from "../../../acts/external/gates.ts";
import type { Sight } from "../../../acts/external/lookThrough.ts";
import type { LiveCluster } from "../../../acts/liveCluster.ts";
import { balancersOf, drainServer, stopDrained } from "../../../acts/loadBalancers.ts";
import { machineOf } from "../k3s/doubles.ts";
import { membershipRequestOf } from "../k3s/found.ts";

const machine = machineOf("k8s-master", "10.0.20.100");
const request = membershipRequestOf(machine, "external");

function sight(reached: Sight["reached"], change: Partial<Sight> = {}): Sight {
  return { asked: 12, reached, unready: {}, failures: [], strangers: [], direct: [], ...change };
}

/** Looks that see one after the other, the last for ever. */
function seeing(...sights: readonly Sight[]): Looking & { count: () => number } {
  let looks = 0;
  return {
    // Where the last is what is waited for it is seen long before.
    limitMs: sights.length === 1 ? 20 : 5_000,
    intervalMs: 1,
    look: async () => {
      const seen = sights[Math.min(looks++, sights.length - 1)];
      assert.ok(seen);
      return seen;
    },
    count: () => looks,
  };
}

const nobody = sight({}, { asked: 4, failures: ["socket hang up"] });

describe("an endpoint that nobody can be told of", () => {
  let told: string[];
  const progress = (line: string): number => told.push(line);
  beforeEach(() => {
    told = [];
  });

  it("lets a server stop once another one is reached", async () => {
    const looking = seeing(sight({ "k8s-master": 12 }), sight({ "k8s-master": 6, hp: 6 }));
    await expectOthersReached(request, progress, looking);
    assert.equal(looking.count(), 2);
    assert.deepEqual(told, [
      "waiting for the endpoint to lead to another server than k8s-master: of 12 connections through the endpoint: k8s-master 12",
    ]);
  });

  it("keeps a server from stopping while it leads there alone", async () => {
    await assert.rejects(
      expectOthersReached(request, progress, seeing(sight({ "k8s-master": 12 }))),
      /another server than k8s-master; seen last: .*k8s-master 12\n.*take the API away.*\n.*paste the text/,
    );
  });

  it("takes nothing from anybody where it leads nowhere: a server may stop, with a warning", async () => {
    const looking = seeing(nobody);
    await expectOthersReached(request, progress, looking);
    assert.equal(looking.count(), 1);
    assert.match(told[0] ?? "", /^warning: before k8s-master stops: .*socket hang up/);
  });

  it("must lead to somebody before a server joins by it", async () => {
    const healed = seeing(nobody, sight({ hp: 12 }));
    await endpointLeads(request, progress, healed);
    assert.equal(healed.count(), 2);
    await assert.rejects(
      endpointLeads(request, progress, seeing(nobody)),
      /to lead to a server; seen last: .*nobody we know, 1 without an answer: socket hang up/,
    );
  });

  it("should lead to a server that has joined, and where it does not the server is whole all the same", async () => {
    const late = seeing(sight({ hp: 12 }), sight({ "k8s-master": 6, hp: 6 }));
    await expectReached(request, progress, late);
    assert.equal(told.length, 1);
    await expectReached(request, progress, seeing(sight({ hp: 12 })));
    assert.match(told.at(-1) ?? "", /^warning: .* k8s-master to be reached through the endpoint/);
  });
});

describe("a balancer that somebody else runs", () => {
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- nobody is to be asked
  const cluster = {} as LiveCluster;
  const fail = (line: string): never => assert.fail(line);

  it("is none of the machines that are told", async () => {
    assert.deepEqual(await balancersOf(cluster, request, fail), []);
  });

  it("is not asked when a dead server goes: it fails the check by itself", async () => {
    await drainServer(cluster, { ...request, gone: true }, fail);
  });

  it("alone is watched while a server stops", async () => {
    const own = membershipRequestOf(machine, []);
    assert.equal(await stopDrained(own, fail, async () => "stopped"), "stopped");
  });
});
