import { readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { z } from "zod";

const committedLock = fileURLToPath(new URL("toolchain.lock.json", import.meta.url));

const lockSchema = z.record(z.string(), z.object({ sha256: z.string(), source: z.string() }));

/**
 * The SHA-256 that a release's file must have: from the lock file, or, at first use, read from the
 * release's own list of checksums and written into the lock file. Nothing else ever writes there.
 * @param sums address of the list: lines of checksum and file name, or a single bare checksum.
 * @param lockFile the committed one, unless a test has its own.
 * @param listedAs its name in the list, where that is not the one in the lock file.
 * @returns undefined when neither knows the file.
 */
export async function lockedChecksum(
  file: string,
  sums: string,
  lockFile = committedLock,
  listedAs = file,
): Promise<string | undefined> {
  const lock = lockSchema.parse(JSON.parse(await readFile(lockFile, "utf8")));
  const locked = lock[file];
  if (locked !== undefined) return locked.sha256;
  const sha256 = findChecksum(await readText(sums), listedAs);
  if (sha256 === undefined) return undefined;
  const entries = Object.entries({ ...lock, [file]: { sha256, source: sums } });
  const sorted = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(`${lockFile}.fresh`, `${JSON.stringify(sorted, null, 2)}\n`);
  await rename(`${lockFile}.fresh`, lockFile);
  return sha256;
}

/** The checksum of a file in a list as sha256sum writes it, or in a text that is one checksum. */
export function findChecksum(list: string, file: string): string | undefined {
  for (const line of list.split("\n")) {
    const [checksum = "", name] = line.trim().split(/\s+/);
    const named = name?.replace(/^\*/, "").replace(/^\.\//, "");
    if (/^[0-9a-f]{64}$/.test(checksum) && (named === undefined || named === file)) return checksum;
  }
  return undefined;
}

async function readText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
  return response?.ok ? response.text() : "";
}
