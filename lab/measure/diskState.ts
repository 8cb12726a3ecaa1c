import { diskOf } from "../machines/mounts.ts";
import { must } from "../machines/shell.ts";

/** What lies at each path of a machine's disk: kind, mode, owner, and a file's content or a link's target. */
export type DiskState = ReadonlyMap<string, string>;

/** Not on the disk, or gone with the next boot. */
const fleeting = ["proc", "sys", "dev", "run", "tmp"];

/** Reads a machine's disk, but for containerd's data, which lie elsewhere; the machine may be off. */
export async function readDisk(machine: string): Promise<DiskState> {
  const { root } = diskOf(machine);
  const skip = fleeting.flatMap((folder) => ["-path", `./${folder}`, "-prune", "-o"]);
  const list = ["find", ".", "-mindepth", "1", ...skip];
  const state = new Map<string, string>();
  // Everything that stays of a path is told in one line; file names of a system have no line breaks.
  const printed = await must([...list, "-printf", "%P\\t%y %m %U:%G %l\\n"], { cwd: root });
  for (const line of printed.split("\n").filter((text) => text !== "")) {
    const [path = "", what = ""] = line.split("\t");
    state.set(`/${path}`, what.trim());
  }
  // What a running machine removes meanwhile has no sum.
  const sums = `"$@" -type f -print0 | xargs -0 -r sha256sum --zero || true`;
  const sum = ["sh", "-c", sums, "sh", ...list];
  for (const line of (await must(sum, { cwd: root })).split("\0").filter((text) => text !== "")) {
    const path = line.slice(67);
    state.set(path, `${state.get(path) ?? ""} ${line.slice(0, 12)}`);
  }
  return state;
}

/** What is there besides (`+`), is there no more (`-`) or is another (`~`), a path a line. */
export function diskDifferences(before: DiskState, now: DiskState): string[] {
  const paths = new Set([...before.keys(), ...now.keys()]);
  return [...paths]
    .toSorted()
    .filter((path) => before.get(path) !== now.get(path))
    .map((path) => {
      const was = before.get(path);
      const is = now.get(path);
      if (was === undefined) return `+ ${path}`;
      return is === undefined ? `- ${path}` : `~ ${path}: ${was} → ${is}`;
    });
}
