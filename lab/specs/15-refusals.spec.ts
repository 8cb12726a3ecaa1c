// Begins with three servers, and leaves three.
import assert from "node:assert/strict";
import { fault } from "../machines/machine.ts";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import { runningSince } from "../measure/runningSince.ts";
import { listServers, putStack, readStack } from "../measure/serverList.ts";
import { machineOf } from "../topology.ts";
import { whileHeld, whileJoining } from "./changesUnderWay.ts";
import { expectToStay } from "./leaving.ts";
import {
  budgetThatHolds,
  longhornDefinition,
  put,
  replicaOnlyOn,
  takeAway,
  volumeOnlyOn,
} from "./obstacles.ts";
import {
  expectRefusal,
  initial,
  keepLogsOfFailures,
  servers,
  topology,
  untilSettled,
} from "./support.ts";
import { beginWithThree, untilThree } from "./threeServers.ts";

const leaver = initial.name;
const [, second = "", third = ""] = servers;
const named = (name: string): RegExp => new RegExp(`\\b${name}\\b`);

describe("a server does not leave, and nothing is changed", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  let good: string;

  before(async () => {
    await beginWithThree();
    good = readStack(topology);
  });
  beforeEach(() => listServers(topology, [second, third]));
  afterEach(() => putStack(topology, good));

  /** By the list, in preview and in an up without one, and by its own destroy, where only the verb can refuse. */
  async function refusedBothWays(...says: readonly RegExp[]): Promise<void> {
    await expectRefusal(named(leaver), ...says);
    const before = await runningSince(topology);
    await expectToStay(leaver, ...says);
    assert.deepEqual(await runningSince(topology), before);
  }

  it("while another member is unhealthy", async () => {
    await fault(topology, "power-off", machineOf(topology, third));
    try {
      await refusedBothWays(named(third));
    } finally {
      await fault(topology, "power-on", machineOf(topology, third));
      await untilThree();
      await untilSettled();
    }
  });

  it("when a persistent volume or the only Longhorn replica of one would go with it", async () => {
    const volume = volumeOnlyOn(leaver);
    const replica = replicaOnlyOn(leaver, second);
    await put([longhornDefinition]);
    try {
      await eventually(30, async () => {
        await kubectl(topology, ["get", "replicas.longhorn.io", "--all-namespaces"]);
        return undefined;
      });
      await put([...volume.objects, ...replica.objects]);
      await refusedBothWays(...volume.names, ...replica.names);
    } finally {
      await takeAway([longhornDefinition, ...volume.objects, ...replica.objects]);
    }
  });

  it("while a server is joining", async () => {
    await whileJoining(() => refusedBothWays(/learner/));
  });

  it("while another operator's act goes on", async () => {
    const holder = "somebody@another-computer/1";
    await whileHeld(holder, () => expectRefusal(named(leaver), named(holder)));
  });

  it("when a disruption budget never lets a pod go: it is refused in the end, and the server is whole", async () => {
    const { objects, names } = budgetThatHolds(leaver);
    try {
      await put(objects);
      const rollout = ["rollout", "status", "deployment/holds-on", "--namespace=home"];
      await kubectl(topology, [...rollout, "--timeout=15s"]);
      await untilSettled();
      await expectToStay(leaver, ...names);
    } finally {
      await takeAway(objects);
    }
    await eventually(30, async () => {
      await kubectl(topology, ["get", "--raw=/readyz"]);
      return undefined;
    });
  });
});
