import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import * as z from "zod";
import { composeScript } from "../../scripts/composeScript.ts";
import { ConversionBench } from "./support/conversionBench.ts";
import { deletedSince, type Entry } from "./support/conversionDouble.ts";
import { runBash } from "./support/runScript.ts";

const db = "var/lib/rancher/k3s/server/db";
const cold = "var/lib/triad/conversion/cold";

/** What became of a key that SQLite held, and how the comparison calls it. */
const fates = {
  kept: undefined,
  missing: "missing",
  changed: "changed",
  updatedSince: undefined,
  deletedSince: undefined,
  madeAgainSince: undefined,
} as const;
type Fate = keyof typeof fates;

const comparison = `
# part: k3s/service.sh
# part: k3s-convert/guard.sh
# part: k3s-convert/comparison.sh
check() {
  conversion_places
  rm -rf "$ROOT$WORK"; read_sqlite; note_revision; read_etcd; compare
  result "{\\"compared\\":$compared,\\"unproven\\":$unproven,\\"differing\\":$differing,\\"differences\\":$(json_string "$differences")}"
}`;

const answer = z.object({
  compared: z.number(),
  unproven: z.number(),
  differing: z.number(),
  differences: z.string(),
});

/** The entries that etcd shows, for keys in the order in which k3s copied them. */
function entriesOf(keys: readonly (readonly [string, Buffer, Fate])[]): Entry[] {
  return keys.flatMap(([key, value, fate], index): Entry[] => {
    const entry = { key, value: value.toString("base64"), created: index + 2, version: 1 };
    const other = Buffer.concat([value, Buffer.from("\0")]).toString("base64");
    switch (fate) {
      case "kept":
        return [entry];
      case "missing":
        return [];
      case "changed":
        return [{ ...entry, value: other }];
      case "updatedSince":
        return [{ ...entry, value: other, version: 3 }];
      case "deletedSince":
        return [{ ...entry, version: deletedSince }];
      case "madeAgainSince":
        return [{ ...entry, value: other, created: keys.length + 50 }];
    }
  });
}

describe("the comparison of SQLite with etcd", function () {
  this.timeout(120_000);
  let bench: ConversionBench;
  beforeEach(() => {
    bench = new ConversionBench();
    bench.root.write("comparison.sh", comparison);
  });
  afterEach(() => {
    bench.root.remove();
  });

  async function compared(
    keys: readonly (readonly [string, Buffer, Fate])[],
    served: boolean,
  ): Promise<z.infer<typeof answer>> {
    const { root } = bench;
    for (const folder of [db, cold]) rmSync(root.at(folder), { recursive: true, force: true });
    mkdirSync(root.at(`${db}/etcd`), { recursive: true });
    bench.put(Object.fromEntries(keys.map(([key, value]) => [key, value])));
    cpSync(root.at(db), root.at(cold), { recursive: true });
    root.write(`${db}/etcd/keys.json`, JSON.stringify(entriesOf(keys)));
    root.write("unit", served ? "active\n" : "activating\n");
    const script = join("../../../../../../../../", root.at("comparison.sh"));
    const run = await runBash(composeScript(script, {}), "check", root);
    assert.equal(run.exitCode, 0, run.stderr);
    return answer.parse(run.result);
  }

  const name = fc
    .stringMatching(/^[a-z0-9.:'"%_-]{1,12}$/)
    .map((text) => `/registry/configmaps/default/${text}`);
  const value = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

  function keyspace(...possible: Fate[]): fc.Arbitrary<(readonly [string, Buffer, Fate])[]> {
    return fc
      .uniqueArray(fc.tuple(name, value, fc.constantFrom(...possible)), {
        minLength: 1,
        maxLength: 10,
        selector: ([key]) => key,
      })
      .map((keys) =>
        keys.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
      );
  }

  async function findsAll(
    keys: readonly (readonly [string, Buffer, Fate])[],
    served: boolean,
  ): Promise<void> {
    const found = await compared(keys, served);
    const expected = keys.flatMap(([key, , fate]) =>
      fates[fate] === undefined ? [] : [`${fates[fate]} ${key}`],
    );
    assert.equal(found.compared, keys.length);
    assert.deepEqual(found.differences.split(", ").filter(Boolean).sort(), expected.sort());
    assert.equal(found.differing, expected.length);
  }

  it("finds each key that etcd lacks or has otherwise, whatever bytes it holds", async () => {
    await fc.assert(
      fc.asyncProperty(keyspace("kept", "missing", "changed"), (keys) => findsAll(keys, false)),
      { numRuns: Number(process.env["RUNS"] ?? 8) },
    );
  });

  it("tells what the API wrote since from what went wrong", async () => {
    const all: Fate[] = [
      "kept",
      "missing",
      "changed",
      "updatedSince",
      "deletedSince",
      "madeAgainSince",
    ];
    await fc.assert(
      fc.asyncProperty(keyspace(...all), (keys) => findsAll(keys, true)),
      { numRuns: Number(process.env["RUNS"] ?? 8) },
    );
  });
});
