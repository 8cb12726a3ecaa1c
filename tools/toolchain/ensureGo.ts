import { join } from "node:path";

import { execa } from "execa";

import { download } from "./download.ts";
import { findProgram, isExecutable } from "./programs.ts";
import { versions } from "./versions.ts";

/** From this release on, go fetches by itself the newer release that a go.mod asks for. */
const oldestUsable = { major: 1, minor: 21 };

/**
 * Finds Go: on PATH, where its own installer puts it, or downloaded.
 * @returns the path of the program `go`.
 * @throws Error that says where to get it when it can be had nowhere.
 */
export async function ensureGo(say?: (line: string) => void): Promise<string> {
  for (const go of [findProgram("go"), "/usr/local/go/bin/go"]) {
    if (go !== undefined && isExecutable(go) && (await isUsable(go))) return go;
  }
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const file = `go${versions.go}.linux-${arch}.tar.gz`;
  const url = `https://dl.google.com/go/${file}`;
  const unpacked = await download(
    { name: "go", version: versions.go, url, sums: `${url}.sha256` },
    say,
  );
  if (unpacked.folder !== undefined) return join(unpacked.folder, "go", "bin", "go");
  throw new Error(
    `Go 1.${oldestUsable.minor} or newer is needed to build what cannot be downloaded here, and ` +
      `could not be fetched (${unpacked.reason}); install it from https://go.dev/dl/`,
  );
}

async function isUsable(go: string): Promise<boolean> {
  const { stdout } = await execa(go, ["env", "GOVERSION"], { reject: false });
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) === oldestUsable.major && Number(minor) >= oldestUsable.minor;
}
