// Begins with three servers, and leaves three.
import assert from "node:assert/strict";
import { changed } from "../measure/changes.ts";
import { readEtcd } from "../measure/clusterState.ts";
import { runPulumi, type PulumiRun } from "../measure/pulumiRun.ts";
import { findHolder, findLeader, makeHold, makeLead } from "../measure/roles.ts";
import { endedSince, runningSince } from "../measure/runningSince.ts";
import { stackOutput } from "../measure/stackOutput.ts";
import { brokenPromises } from "../rehearsal.ts";
import { machineOf } from "../topology.ts";
import { watched } from "./costs.ts";
import { destroyServer, partsOf } from "./leaving.ts";
import { isAgentAgain, remainsOf } from "./remains.ts";
import { initial, isK3s, keepLogsOfFailures, servers, topology } from "./support.ts";
import { beginWithThree, untilThree } from "./threeServers.ts";

describe("one server leaves by its own destroy, and the list brings it back", function () {
  this.timeout("15m");
  keepLogsOfFailures();

  before(beginWithThree);

  for (const server of servers.toReversed()) {
    const isFirst = server === initial.name;
    const roles = isK3s ? "the VIP's holder and etcd's leader" : "etcd's leader";
    const leaver = isFirst
      ? `${server}, the initial server: the leaver is ${roles}`
      : `${server}, while others hold and lead`;
    const machine = machineOf(topology, server);
    const other = servers.find((name) => name !== server) ?? "";
    let left: PulumiRun;

    it(`${leaver}: the others run on, and the API's users hardly notice`, async () => {
      if (isK3s) await makeHold(topology, isFirst ? server : other);
      await makeLead(topology, isFirst ? server : other);
      assert.equal(await findLeader(topology), isFirst ? server : other);
      if (isK3s) assert.equal(await findHolder(topology), isFirst ? server : other);
      const before = await runningSince(topology);
      const { result, noticed } = await watched(`leave-${server}`, `${server} left`, () =>
        destroyServer(server, `leave-${server}`),
      );
      left = result;
      assert.equal(left.exitCode, 0, left.output);
      assert.deepEqual(endedSince(before, await runningSince(topology), [server]), []);
      assert.deepEqual(noticed, []);
    });

    it(`${server}: exactly what belongs to it is deleted, and nothing else is changed`, () => {
      assert.deepEqual(
        left.changes,
        partsOf(server).map((part) => `delete ${part}`),
      );
    });

    it(`${server}: member, Node, secret and files are gone`, async () => {
      assert.deepEqual(await readEtcd(topology, other), { voters: 2, learners: 0 });
      assert.deepEqual(await remainsOf(machine, isAgentAgain(machine)), []);
    });

    it(`${server}: the unchanged list makes three voters again`, async () => {
      const before = await runningSince(topology);
      const name = `back-${server}`;
      const { result: back, noticed } = await watched(name, `${server} came back`, () =>
        runPulumi(topology, name, "pulumi up"),
      );
      assert.equal(back.exitCode, 0, back.output);
      assert.deepEqual(changed(back.changes, "create"), partsOf(server));
      assert.equal(back.changes.length, partsOf(server).length, back.changes.join(", "));
      assert.deepEqual(endedSince(before, await runningSince(topology), [server]), []);
      await untilThree();
      assert.equal((await stackOutput(topology)).verified.members.length, servers.length);
      assert.deepEqual(noticed, []);
    });
  }

  it("and in the end all is as promised", async () => {
    assert.deepEqual(await brokenPromises(topology, () => undefined), []);
  });
});
