import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, lstat, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Smaller files are not worth the look, in bytes. */
const least = 1024 * 1024;

/**
 * Makes large files that are the same on several disks one file by hard links: programs, mostly. Disks that are only
 * ever lower layers can share them, and then share the computer's memory too.
 */
export async function shareFiles(folders: readonly string[]): Promise<void> {
  const known = new Map<string, string>();
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const file = join(entry.parentPath, entry.name);
      const { size, mode, uid, gid } = await lstat(file);
      if (size < least) continue;
      const key = [await digestOf(file), mode, uid, gid].join(" ");
      const first = known.get(key);
      if (first === undefined) known.set(key, file);
      else await replaceByLink(file, first);
    }
  }
}

async function replaceByLink(file: string, first: string): Promise<void> {
  const fresh = `${file}.shared`;
  await link(first, fresh);
  await rename(fresh, file);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: least }), hash);
  return hash.digest("hex");
}
