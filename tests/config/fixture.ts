import { readdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parse } from "yaml";

const FOLDER = resolve(import.meta.dirname, "../fixtures");

/** A stack's file, and what its comments say is wrong with it. */
export interface Fixture {
  readonly name: string;
  /** Why it must be refused, or what it shows. */
  readonly why: string;
  /** Of each `# expect: path: fragment` line. */
  readonly expected: readonly { readonly path: string; readonly fragment: string }[];
  /** The config's keys without their namespace, as parseConfig takes them. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Every fixture of a kind, by name. */
export function fixtures(kind: "valid" | "invalid"): Fixture[] {
  return readdirSync(resolve(FOLDER, kind))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => readFixture(resolve(FOLDER, kind, file)));
}

/** One stack's file. */
export function readFixture(path: string): Fixture {
  const text = readFileSync(path, "utf8");
  const comments = (/^(#.*\n)*/.exec(text)?.[0] ?? "")
    .split("\n")
    .map((line) => line.replace(/^# ?/, ""));
  return {
    name: basename(path, ".yaml"),
    why: comments
      .filter((line) => !line.startsWith("expect:"))
      .join(" ")
      .trim(),
    expected: comments.flatMap((line) => {
      const [, where, fragment] = /^expect: (.+?): (.+)$/.exec(line) ?? [];
      return where === undefined || fragment === undefined ? [] : [{ path: where, fragment }];
    }),
    raw: configOf(parse(text)),
  };
}

function configOf(file: unknown): Record<string, unknown> {
  if (typeof file !== "object" || file === null || !("config" in file)) return {};
  return Object.fromEntries(
    Object.entries(file.config ?? {}).map(([key, value]) => [key.replace(/^triad:/, ""), value]),
  );
}
