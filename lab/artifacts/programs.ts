import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildGoModule } from "../../tools/toolchain/goModule.ts";
import { cacheFolder, projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { sourceHash } from "./sourceHash.ts";
import { artifactVersions } from "./versions.ts";

const lab = join(projectFolder, "lab");
const goModules = join(lab, "gomodules");

/** How a build differs from the usual. */
export interface BuildOptions {
  readonly cgo?: boolean;
  readonly ldflags?: string;
  /** Where the go.mod is, by default the module's folder in `lab/gomodules`. */
  readonly folder?: string;
}

/**
 * Builds programs from Go modules, once.
 * @param packages import path of each program, by the program's name
 * @returns the folder with the programs
 */
export async function build(
  name: string,
  version: string,
  packages: Readonly<Record<string, string>>,
  options: BuildOptions = {},
): Promise<string> {
  let told = false;
  return await buildGoModule({
    name,
    version,
    folder: join(goModules, name),
    packages,
    ...options,
    say: (line) => {
      if (!told) progress(`building ${name} ${version} from Go modules`);
      told = true;
      if (line.startsWith("go build ")) progress(`  ${line}`);
    },
  });
}

/**
 * Builds programs of our own: their version is what is written in them. Those of earlier sources are removed.
 * @param folder with the go.mod
 */
export async function buildSources(
  name: string,
  folder: string,
  packages: Readonly<Record<string, string>>,
): Promise<string> {
  const version = await sourceHash(folder);
  const programs = await build(name, version, packages, { folder });
  const builds = join(cacheFolder, "go");
  for (const other of await readdir(builds)) {
    const hash = other.startsWith(`${name}-`) ? other.slice(name.length + 1) : "";
    if (!/^[0-9a-f]{12}$/.test(hash) || hash === version) continue;
    await rm(join(builds, other), { recursive: true, force: true });
  }
  return programs;
}

/** etcd, etcdctl, etcdutl. */
export function buildEtcd(): Promise<string> {
  return build("etcd", artifactVersions.etcd, {
    etcd: "go.etcd.io/etcd/server/v3",
    etcdctl: "go.etcd.io/etcd/etcdctl/v3",
    etcdutl: "go.etcd.io/etcd/etcdutl/v3",
  });
}

/** coredns. */
export function buildCoreDns(): Promise<string> {
  return build("coredns", artifactVersions.coredns, { coredns: "github.com/coredns/coredns" });
}

/** flanneld; without cgo it lacks its UDP backend and doesn't compile. */
export function buildFlannel(): Promise<string> {
  const { flannel } = artifactVersions;
  return build(
    "flannel",
    flannel,
    { flanneld: "github.com/flannel-io/flannel" },
    {
      cgo: true,
      ldflags: `-s -w -X github.com/flannel-io/flannel/pkg/version.Version=${flannel}`,
    },
  );
}

/** The lab's own: pause, prober, flannel-cni. */
export function buildOwn(): Promise<string> {
  const own = "triad.invalid/lab-programs";
  return buildSources("lab-programs", join(lab, "programs"), {
    prober: `${own}/prober`,
    pause: `${own}/pause`,
    "flannel-cni": `${own}/flannel-cni`,
  });
}

/** What is written into programs of Kubernetes so that they know their version. */
export function versionFlags(version: string): string {
  const [major = "", minor = ""] = version.replace(/^v/, "").split(".");
  const fields: Readonly<Record<string, string>> = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
  };
  const stamps = Object.entries(fields).flatMap(([field, value]) =>
    ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].map(
      (place) => `-X ${place}.${field}=${value}`,
    ),
  );
  return ["-s -w", ...stamps].join(" ");
}
