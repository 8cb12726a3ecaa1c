import assert from "node:assert/strict";
import { join } from "node:path";
import { keepsakes } from "../before/workload/workload.ts";
import { upBeforeState } from "../lab.ts";
import { readEtcd, readObjects } from "../measure/clusterState.ts";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import { Measurement } from "../measure/measurement.ts";
import { startProgram, type Program } from "../measure/program.ts";
import { readSamples } from "../measure/sample.ts";
import { listServers } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { brokenPromises, samplesFolder } from "../rehearsal.ts";
import { cutPowerDuringUp, isOnDisk, onDisk } from "./moments.ts";
import { missesService, moveService, placeOfService } from "./movedService.ts";
import { makeLookOld } from "./oldCluster.ts";
import { initial, keepLogsOfFailures, missingOf, servers, topology } from "./support.ts";

const database = "/var/lib/rancher/k3s/server/db";
const conversion = "/var/lib/triad/conversion";
const isThere = (path: string): boolean => isOnDisk(initial, path);
/** How long etcd's folder has been there, when the power goes while keys are copied: its start takes a part of it. */
const copyingMs = 3_000;
let etcdSince = 0;

interface Moment {
  readonly what: string;
  readonly isDue: () => boolean;
  /** What is served afterwards: once all is copied, there may be writes that are in etcd alone. */
  readonly served: "SQLite" | "etcd";
}

const moments: readonly Moment[] = [
  {
    what: "before the copy began",
    isDue: () => isThere(`${conversion}/cold/complete`) && !isThere(`${database}/etcd`),
    served: "SQLite",
  },
  {
    what: "while keys are copied",
    isDue: () => {
      if (!isThere(`${database}/etcd/member/wal`)) etcdSince = Date.now();
      return isThere(`${database}/etcd/member/wal`) && Date.now() - etcdSince > copyingMs;
    },
    served: "SQLite",
  },
  {
    what: "after the copy, before it was verified",
    isDue: () => isThere(`${database}/state.db.migrated`),
    served: "etcd",
  },
];

describe("a power cut during the conversion serves no half cluster", function () {
  this.timeout("10m");
  keepLogsOfFailures();
  const folder = `${samplesFolder}-conversion`;
  let measurement: Measurement;
  let census: Program;
  let objects: string[];

  before(async () => {
    await upBeforeState(topology);
    // So slowly that the power can go in the middle.
    await makeLookOld({ revision: 200_000, copyDelayMs: 20 });
    listServers(topology, [initial.name]);
    await up(topology, "conversion-adopt", () => undefined);
    listServers(topology, servers);
    measurement = await Measurement.start(topology, folder);
    census = await startProgram(topology, "census", folder);
    objects = await readObjects(topology);
  });

  for (const [number, { what, isDue, served }] of moments.entries()) {
    it(`${what}: all that was there is served, from ${served}`, async () => {
      await cutPowerDuringUp(`conversion-cut-${String(number + 1)}`, initial, isDue);
      await eventually(120, async () => {
        await kubectl(topology, ["get", "--raw=/readyz"]);
        return undefined;
      });
      assert.equal(isThere(`${database}/state.db`), served === "SQLite");
      assert.equal(isThere(`${database}/etcd`), served === "etcd");
      assert.deepEqual(await missingOf(objects), []);
    });
  }

  it("and the next up makes three voters", async () => {
    // Or the moment was missed, and all this has shown nothing.
    assert.equal(onDisk(initial, `${conversion}/phase`).trim(), "copying");
    await up(topology, "conversion-up", () => undefined);
    assert.deepEqual(await readEtcd(topology, initial.name), {
      voters: servers.length,
      learners: 0,
    });
  });

  it("and whoever watches sees a change on every machine", async () => {
    const place = await placeOfService();
    const another = { address: "10.43.99.99", port: 81 };
    await moveService(another);
    await eventually(30, () => missesService(another));
    await moveService(place);
    await eventually(30, () => missesService(place));
  });

  it("and all is as promised, without a write or an object lost", async () => {
    assert.deepEqual(await missingOf(objects), []);
    assert.deepEqual(await brokenPromises(topology, () => undefined), []);
    const { lost } = await measurement.stop();
    assert.deepEqual(lost, []);
    await census.stop();
    const counts = readSamples(join(folder, "census.jsonl"))
      .filter(({ ok }) => ok)
      .map(({ value }) => Number(value));
    // One more is k3s' own, with the cluster's certificate.
    assert.deepEqual([...new Set(counts)], [keepsakes + 1]);
  });
});
