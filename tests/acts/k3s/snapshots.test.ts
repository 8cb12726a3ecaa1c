import { strict as assert } from "node:assert";
import { lateness, type SnapshotState } from "../../../acts/k3s/snapshots.ts";

const at = (time: string): number => Date.parse(time) / 1_000;

const state: SnapshotState = {
  directory: "/var/lib/triad/snapshots",
  count: 3,
  newest: "etcd-snapshot-thinkpad-1",
  newestAt: at("2026-03-10T02:00:03Z"),
  etcdSince: at("2026-01-01T00:00:00Z"),
  now: at("2026-03-10T12:00:00Z"),
  timeZone: "UTC",
};

describe("a server's last scheduled snapshot", () => {
  const cases: [string, string, Partial<SnapshotState>, RegExp | undefined][] = [
    ["was taken last night", "0 2 * * *", {}, undefined],
    [
      "is of the night before",
      "0 2 * * *",
      { newestAt: at("2026-03-09T02:00:03Z") },
      /is etcd-snapshot-thinkpad-1; one was due at 2026-03-10T02:00/,
    ],
    [
      "is just being taken",
      "0 2 * * *",
      { newestAt: at("2026-03-09T02:00:03Z"), now: at("2026-03-10T02:08:00Z") },
      undefined,
    ],
    [
      "was never taken",
      "0 2 * * *",
      { newest: null, newestAt: null, count: 0 },
      /there is no snapshot in \/var\/lib\/triad\/snapshots/,
    ],
    [
      "is not due yet on a server that has just joined",
      "0 2 * * *",
      { newest: null, newestAt: null, etcdSince: at("2026-03-10T09:00:00Z") },
      undefined,
    ],
    [
      "is of an earlier life of a server that joined again",
      "0 2 * * *",
      { newestAt: at("2026-02-01T02:00:00Z"), etcdSince: at("2026-03-10T09:00:00Z") },
      undefined,
    ],
    ["is weekly", "0 3 * * 0", { newestAt: at("2026-03-08T03:00:01Z") }, undefined],
    [
      "is due by the machine's own clock on the wall",
      "0 2 * * *",
      { timeZone: "America/New_York", newestAt: at("2026-03-09T06:00:00Z") },
      /due at 2026-03-10T06:00.*America\/New_York/,
    ],
    ["is asked of a server without etcd", "0 2 * * *", { etcdSince: null }, /no member of etcd/],
  ];
  for (const [what, schedule, changes, expected] of cases) {
    it(`${what}: ${expected === undefined ? "well" : "late"}`, () => {
      const found = lateness(schedule, { ...state, ...changes });
      if (expected === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", expected);
    });
  }
});
