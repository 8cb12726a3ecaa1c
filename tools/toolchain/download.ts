import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { execa } from "execa";

import { lockedChecksum } from "./checksums.ts";
import { cacheFolder } from "./paths.ts";
import { withLock } from "./withLock.ts";

/** A release's archive (tar.gz) and the file in which the release lists checksums (SHA-256). */
export interface Release {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly sums: string;
}

/** The folder into which a release was unpacked, or why there is none. */
export type Unpacked =
  { readonly folder: string } | { readonly folder?: undefined; readonly reason: string };

/** How long a host may take to answer before it counts as out of reach, in ms. */
const connectTimeout = 3_000;

/** How long a whole download may take, in ms. */
const downloadTimeout = 15 * 60_000;

const reachable = new Map<string, Promise<boolean>>();

/**
 * Downloads a release, checks it, and unpacks it into the cache. A closed network is noticed once
 * per host and run.
 * @param places the user's cache and the committed lock file, unless a test has its own.
 * @throws Error when a checksum does not match: that is never passed over.
 */
export async function download(
  release: Release,
  say?: (line: string) => void,
  places: { readonly cache: string; readonly lockFile?: string } = { cache: cacheFolder },
): Promise<Unpacked> {
  const home = join(places.cache, "releases", `${release.name}-${release.version}`);
  if (await exists(home)) return { folder: home };
  const { origin, host } = new URL(release.url);
  if (!(await isReachable(origin))) return { reason: `${host} is out of reach` };
  return withLock(home, async () => {
    if (await exists(home)) return { folder: home };
    const file = basename(release.url);
    const expected = await lockedChecksum(file, release.sums, places.lockFile);
    if (expected === undefined) return { reason: `${release.sums} has no checksum of ${file}` };
    const fresh = `${home}.fresh`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    const archive = `${home}.tar.gz`;
    say?.(release.url);
    const fault = await fetchFile(release.url, archive);
    if (fault !== undefined) return { reason: fault };
    const found = await sha256(archive);
    if (found !== expected) {
      throw new Error(`${release.url}: its SHA-256 is ${found}, but ${expected} was expected`);
    }
    await execa("tar", ["-xzf", archive, "-C", fresh]);
    await rename(fresh, home);
    await rm(archive);
    return { folder: home };
  });
}

function isReachable(origin: string): Promise<boolean> {
  const known = reachable.get(origin);
  if (known !== undefined) return known;
  const probe = fetch(`${origin}/`, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(connectTimeout),
  }).then(
    () => true,
    () => false,
  );
  reachable.set(origin, probe);
  return probe;
}

async function fetchFile(url: string, target: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(downloadTimeout) });
    if (!response.ok || response.body === null) return `${url} answers ${response.status}`;
    await pipeline(Readable.fromWeb(response.body), createWriteStream(target));
    return undefined;
  } catch (error) {
    return `${url}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function exists(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => true,
    () => false,
  );
}
