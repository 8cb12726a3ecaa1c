import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** A version for what is built from a folder's own sources: it changes with any of them, but not with their tests. */
export async function sourceHash(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !/_test\.go$|\.md$|\/testdata\//.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${relative(folder, file)}\n`).update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}
