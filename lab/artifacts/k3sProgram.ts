import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { writeEntries, type TarEntry } from "./tarEntries.ts";

/** Ends the file, so that the program knows that something is appended to it. */
const mark = Buffer.from("K3SLAB\0\u0001", "latin1");

/**
 * Makes the one file that is all of k3s: our double, then a compressed archive of the programs that it unpacks at its
 * first run, the archive's length as eight bytes, the highest first, and a mark of eight.
 */
export async function packK3s(
  double: string,
  programs: readonly TarEntry[],
  target: string,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "triad-k3s-"));
  try {
    const archive = join(folder, "programs.tar.gz");
    await writeArchive(programs, archive);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt((await stat(archive)).size));
    await pipeline(createReadStream(double), createWriteStream(target));
    await pipeline(createReadStream(archive), createWriteStream(target, { flags: "a" }));
    await pipeline([Buffer.concat([length, mark])], createWriteStream(target, { flags: "a" }));
    await chmod(target, 0o755);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Writes a compressed archive; speed matters more than size, since it goes nowhere. */
export async function writeArchive(entries: readonly TarEntry[], target: string): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createGzip({ level: 1 }), createWriteStream(target));
  await Promise.all([written, writeEntries(tar, entries)]);
}
