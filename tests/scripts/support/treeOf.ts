import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { FakeRoot } from "./fakeRoot.ts";

/** Left out of a comparison: what doubles and tests note. */
const notes = new Set(["calls", "cut", "stub-commands", "state", "run", "hooks"]);

/** Every file with its content. Times in names are not compared. */
export function treeOf(root: FakeRoot): string {
  const lines: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root.root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (notes.has(path) || /^proc\/\d/.test(path)) continue;
      if (entry.isDirectory()) walk(path);
      else {
        const full = join(root.root, path);
        lines.push(
          `${path}: ${entry.isSymbolicLink() ? readlinkSync(full) : readFileSync(full, "utf8")}`,
        );
      }
    }
  };
  walk("");
  return lines
    .sort()
    .join("\n")
    .replaceAll(/\d{8}T\d{6}/g, "TIME")
    .replaceAll(root.root, "");
}
