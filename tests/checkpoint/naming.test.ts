import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkpointName,
  checkpointNote,
  checkpointsAmong,
  superfluous,
  unfinishedNote,
} from "../../acts/checkpoint/naming.ts";
import type { Snapshot } from "../../proxmox/snapshots.ts";

const own = { machine: "k8s-master-2", cluster: "homelab" };
const description = checkpointNote({ ...own, servers: 3 });

function snapshot(at: number, changes: Partial<Snapshot> = {}): Snapshot {
  const name = checkpointName(new Date(at * 1_000));
  return { name, description, at, isWhole: true, ...changes };
}

describe("a checkpoint's name and note", () => {
  it("are what Proxmox takes, and tell whose it is", () => {
    const name = checkpointName(new Date("2026-01-01T20:00:00.123Z"));
    assert.equal(name, "triad-20260101T200000Z");
    // @see https://pve.proxmox.com/pve-docs/api-viewer/ for `snapname`
    assert.match(name, /^[a-z][a-z0-9_-]{1,39}$/i);
    assert.deepEqual(
      checkpointsAmong([snapshot(5)], own).map(({ servers }) => servers),
      [3],
    );
  });

  const others: [what: string, changes: Partial<Snapshot>][] = [
    ["has another name", { name: "before-upgrade" }],
    ["has a name that only begins like ours", { name: "triad-20260101T200000Z-mine" }],
    ["was given another text, to be kept", { description: "keep!" }],
    [
      "is of another machine",
      { description: checkpointNote({ ...own, machine: "hp", servers: 1 }) },
    ],
    [
      "is of another cluster",
      { description: checkpointNote({ ...own, cluster: "x", servers: 1 }) },
    ],
  ];
  for (const [what, changes] of others) {
    it(`leave out one that ${what}`, () => {
      assert.deepEqual(checkpointsAmong([snapshot(5, changes)], own), []);
    });
  }
});

describe("a checkpoint that was not finished", () => {
  it("is ours, to be deleted, and nothing to go back to", () => {
    const description = unfinishedNote(own);
    const all = checkpointsAmong([snapshot(1), snapshot(2, { description })], own);
    assert.deepEqual(
      all.map(({ isWhole }) => isWhole),
      [true, false],
    );
    assert.deepEqual(superfluous(all, 5), all.slice(1));
  });
});

describe("checkpoints that are too many", () => {
  it("are all but the newest, and what was cut off", () => {
    const all = checkpointsAmong(
      [snapshot(1), snapshot(2), snapshot(3, { isWhole: false }), snapshot(4)],
      own,
    );
    const at = (keep: number): number[] => superfluous(all, keep).map((one) => one.at);
    assert.deepEqual(at(1), [1, 2, 3]);
    assert.deepEqual(at(2), [1, 3]);
    assert.deepEqual(at(9), [3]);
  });

  it("never are a snapshot of somebody else, and leave as many as are kept", () => {
    const texts = fc.constantFrom(description, "mine", "");
    const rows = fc.uniqueArray(
      fc.record({
        at: fc.integer({ min: 1, max: 1e9 }),
        description: texts,
        isWhole: fc.boolean(),
      }),
      { selector: ({ at }) => at },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (some, keep) => {
        const all = some.map((row) => snapshot(row.at, row)).sort((a, b) => a.at - b.at);
        const ours = checkpointsAmong(all, own);
        const gone = superfluous(ours, keep);
        assert.ok(gone.every((one) => one.description === description));
        const whole = ours.filter((one) => one.isWhole && !gone.includes(one));
        const wholeBefore = ours.filter((one) => one.isWhole);
        assert.deepEqual(whole, wholeBefore.slice(-keep));
      }),
    );
  });
});
