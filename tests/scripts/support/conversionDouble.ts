import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";

/** A key of etcd as its JSON gateway shows it. */
const entries = z.array(
  z.object({ key: z.string(), value: z.string(), created: z.number(), version: z.number() }),
);
export type Entry = z.infer<typeof entries>[number];

/** Every key that is alive in a database of kine, in the order in which k3s copies them. */
export function readKine(file: string): Entry[] {
  const database = new DatabaseSync(file);
  const rows = database
    .prepare(
      `SELECT CAST(name AS TEXT) AS name, value FROM kine
       JOIN (SELECT MAX(id) AS id FROM kine GROUP BY name) USING (id) WHERE deleted = 0 ORDER BY name`,
    )
    .all();
  database.close();
  return z
    .array(z.object({ name: z.string(), value: z.instanceof(Uint8Array) }))
    .parse(rows)
    .filter(({ name }) => name.startsWith("/registry/"))
    .map(({ name, value }, index) => ({
      key: name,
      value: Buffer.from(value).toString("base64"),
      created: index + 2,
      version: 1,
    }));
}

/** Versions of entries that are no versions: k3s left the key out, or it was deleted after the copy. */
export const leftOut = 0;
export const deletedSince = -1;

/**
 * What etcd's JSON gateway answers to a range: ordered by key, fields that are empty or zero left out, 64-bit numbers as
 * strings.
 */
export function answerRange(all: readonly Entry[], request: string): string {
  const { key, range_end, limit, revision } = z
    .object({
      key: z.string(),
      range_end: z.string().optional(),
      limit: z.string(),
      revision: z.coerce.number().default(0),
    })
    .parse(JSON.parse(request));
  const newest = Math.max(1, ...all.map(({ created }) => created)) + 10;
  const isThere = ({ created, version }: Entry): boolean =>
    version === deletedSince
      ? revision !== 0 && revision < newest
      : revision === 0 || created <= revision;
  const from = Buffer.from(key, "base64");
  const to = Buffer.from(range_end ?? "", "base64");
  const inRange = all
    .filter(isThere)
    .map((entry) => ({ entry, bytes: Buffer.from(entry.key) }))
    .filter(({ bytes }) => from.compare(bytes) <= 0 && to.compare(bytes) > 0)
    .sort((a, b) => a.bytes.compare(b.bytes))
    .map(({ entry }) => entry);
  const page = inRange.slice(0, Number(limit));
  return JSON.stringify({
    header: { cluster_id: "1", member_id: "2", revision: String(newest), raft_term: "2" },
    kvs: page.map(({ key, value, created, version }) => ({
      key: Buffer.from(key).toString("base64"),
      create_revision: String(created),
      mod_revision: String(created),
      version: String(version),
      ...(value === "" ? {} : { value }),
    })),
    ...(page.length < inRange.length ? { more: true } : {}),
    count: String(inRange.length),
  });
}

/** node conversionDouble.ts copy|range …: what the doubles of k3s and curl do in a script's test, with $TRIAD_ROOT for /. */
function main(act: string, request: string): void {
  const root = process.env["TRIAD_ROOT"] ?? "";
  const folder = join(root, "var/lib/rancher/k3s/server/db");
  const keys = join(folder, "etcd/keys.json");
  if (act === "range") {
    if (!existsSync(keys)) throw new Error("connection refused");
    process.stdout.write(
      answerRange(entries.parse(JSON.parse(readFileSync(keys, "utf8"))), request),
    );
    return;
  }
  mkdirSync(join(folder, "etcd/member/wal"), { recursive: true });
  const copied = readKine(join(folder, "state.db"));
  if (request === "half") {
    writeFileSync(keys, JSON.stringify(copied.slice(0, copied.length / 2)));
    return;
  }
  const patch = join(root, "tamper.json");
  const tampered = existsSync(patch) ? entries.parse(JSON.parse(readFileSync(patch, "utf8"))) : [];
  const names = new Set(tampered.map(({ key }) => key));
  const result = [...copied.filter(({ key }) => !names.has(key)), ...tampered];
  writeFileSync(keys, JSON.stringify(result.filter(({ version }) => version !== leftOut)));
  renameSync(join(folder, "state.db"), join(folder, "state.db.migrated"));
}

const [, program, act, request] = process.argv;
if (program === import.meta.filename && act !== undefined) main(act, request ?? "");
