import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { ensureGo } from "./ensureGo.ts";
import { cacheFolder } from "./paths.ts";
import { isExecutable } from "./programs.ts";
import { withLock } from "./withLock.ts";

/** Programs to build from pinned Go modules. */
export interface GoModule {
  /** Names the build in the cache, with {@link version}. */
  readonly name: string;
  readonly version: string;
  /** Folder with the go.mod and go.sum that pin everything. */
  readonly folder: string;
  /** Import path of each program, by the program's name. */
  readonly packages: Readonly<Record<string, string>>;
  /** Files of our own in the folder that the programs are built from as well. */
  readonly sources?: readonly string[];
  /** For the linker; default strips symbols (`-s -w`). */
  readonly ldflags?: string;
  /** Build with cgo; default false, so that programs need no libc beside them. */
  readonly cgo?: boolean;
  /** Where builds are kept; default the user's cache. */
  readonly cache?: string;
  /** Hears what go says while it works. */
  readonly say?: (line: string) => void;
}

/**
 * Builds programs once and keeps them in the cache; what was built from the same go.sum, sources,
 * packages and flags is not built again.
 * @returns the folder that holds the programs.
 * @throws Error with go's own words when the build fails.
 */
export async function buildGoModule(module: GoModule): Promise<string> {
  const home = join(module.cache ?? cacheFolder, "go", `${module.name}-${module.version}`);
  const fingerprint = await fingerprintOf(module);
  if (await isBuilt(home, module, fingerprint)) return join(home, "bin");
  return withLock(home, async () => {
    // Another run may have built it while this one waited.
    if (!(await isBuilt(home, module, fingerprint))) await build(home, module, fingerprint);
    return join(home, "bin");
  });
}

async function build(home: string, module: GoModule, fingerprint: string): Promise<void> {
  const fresh = `${home}.fresh`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(join(fresh, "bin"), { recursive: true });
  const go = await ensureGo(module.say);
  for (const [program, importPath] of Object.entries(module.packages)) {
    module.say?.(`go build ${importPath}`);
    await goBuild(go, module, importPath, join(fresh, "bin", program));
  }
  await writeFile(join(fresh, "fingerprint"), fingerprint);
  await rm(home, { recursive: true, force: true });
  await rename(fresh, home);
}

async function goBuild(
  go: string,
  module: GoModule,
  importPath: string,
  target: string,
): Promise<void> {
  const flags = ["-trimpath", "-buildvcs=false", "-ldflags", module.ldflags ?? "-s -w"];
  const building = execa(go, ["build", ...flags, "-o", target, importPath], {
    cwd: module.folder,
    env: { GOFLAGS: "-mod=readonly", GOWORK: "off", CGO_ENABLED: module.cgo ? "1" : "0" },
    stdin: "ignore",
    all: true,
  });
  for await (const line of building.iterable({ from: "all" })) module.say?.(line);
  await building;
}

async function isBuilt(home: string, module: GoModule, fingerprint: string): Promise<boolean> {
  const found = await readFile(join(home, "fingerprint"), "utf8").catch(() => undefined);
  return (
    found === fingerprint &&
    Object.keys(module.packages).every((program) => isExecutable(join(home, "bin", program)))
  );
}

async function fingerprintOf(module: GoModule): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum", ...(module.sources ?? [])]) {
    hash.update(await readFile(join(module.folder, file)));
  }
  hash.update(JSON.stringify([module.packages, module.ldflags ?? "", module.cgo ?? false]));
  return hash.digest("hex");
}
