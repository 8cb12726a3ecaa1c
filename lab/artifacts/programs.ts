import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockedChecksum } from "../../tools/toolchain/checksums.ts";
import { buildGoModule } from "../../tools/toolchain/goModule.ts";
import { cacheFolder, projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { artifactVersions } from "./versions.ts";

/** Programs of Kubernetes, all of one version, all static. */
export const kubernetesPrograms = [
  "kubeadm",
  "kubelet",
  "kubectl",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
] as const;

/** The folders in which the programs that the lab runs lie. */
export interface Programs {
  readonly kubernetes: string;
  readonly etcd: string;
  readonly coredns: string;
  readonly flannel: string;
  /** The lab's own: pause, prober, flannel-cni. */
  readonly own: string;
}

const goModules = join(projectFolder, "lab", "gomodules");
const releases = "https://dl.k8s.io/release";

/** Gets all programs: Kubernetes' from its own site or built, the others built. */
export async function ensurePrograms(): Promise<Programs> {
  const own = await ownSourceHash();
  return {
    kubernetes: (await downloadKubernetes()) ?? (await buildKubernetes()),
    etcd: await build("etcd", artifactVersions.etcd, {
      etcd: "go.etcd.io/etcd/server/v3",
      etcdctl: "go.etcd.io/etcd/etcdctl/v3",
      etcdutl: "go.etcd.io/etcd/etcdutl/v3",
    }),
    coredns: await build("coredns", artifactVersions.coredns, {
      coredns: "github.com/coredns/coredns",
    }),
    // Without cgo flannel lacks its UDP backend and doesn't compile.
    flannel: await build(
      "flannel",
      artifactVersions.flannel,
      { flanneld: "github.com/flannel-io/flannel" },
      {
        cgo: true,
        ldflags: `-s -w -X github.com/flannel-io/flannel/pkg/version.Version=${artifactVersions.flannel}`,
      },
    ),
    own: await build(
      "lab-programs",
      own,
      {
        prober: "triad.invalid/lab-programs/prober",
        pause: "triad.invalid/lab-programs/pause",
        "flannel-cni": "triad.invalid/lab-programs/flannel-cni",
      },
      { folder: join(projectFolder, "lab", "programs") },
    ),
  };
}

async function build(
  name: string,
  version: string,
  packages: Readonly<Record<string, string>>,
  more: { readonly cgo?: boolean; readonly ldflags?: string; readonly folder?: string } = {},
): Promise<string> {
  let told = false;
  return await buildGoModule({
    name,
    version,
    folder: join(goModules, name),
    packages,
    ...more,
    say: (line) => {
      if (!told) progress(`building ${name} ${version} from Go modules`);
      told = true;
      if (line.startsWith("go build ")) progress(`  ${line}`);
    },
  });
}

async function buildKubernetes(): Promise<string> {
  const version = artifactVersions.kubernetes;
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
  const packages = kubernetesPrograms.map((name): [string, string] => [
    name,
    `k8s.io/kubernetes/cmd/${name}`,
  ]);
  return await build("kubernetes", version, Object.fromEntries(packages), {
    ldflags: ["-s -w", ...stamps].join(" "),
  });
}

/** The official programs, checked against the release's own checksums; undefined out of its reach. */
async function downloadKubernetes(): Promise<string | undefined> {
  const version = artifactVersions.kubernetes;
  const folder = join(cacheFolder, "releases", `kubernetes-${version}`);
  if ((await stat(folder).catch(() => undefined)) !== undefined) return folder;
  const base = `${releases}/${version}/bin/linux/amd64`;
  const probe = await fetch(`${base}/kubeadm.sha256`, { signal: AbortSignal.timeout(3_000) }).catch(
    () => undefined,
  );
  if (probe?.ok !== true) return undefined;
  const fresh = `${folder}.fresh`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  for (const program of kubernetesPrograms) {
    progress(`downloading ${base}/${program}`);
    const expected = await lockedChecksum(
      `${program}-${version}-linux-amd64`,
      `${base}/${program}.sha256`,
    );
    const response = await fetch(`${base}/${program}`, { signal: AbortSignal.timeout(600_000) });
    const content = new Uint8Array(await response.arrayBuffer());
    const found = createHash("sha256").update(content).digest("hex");
    if (found !== expected) {
      throw new Error(
        `${base}/${program}: its SHA-256 is ${found}, expected was ${String(expected)}`,
      );
    }
    await writeFile(join(fresh, program), content, { mode: 0o755 });
  }
  await rename(fresh, folder);
  return folder;
}

/** The version of the lab's own programs is what is written in them. */
async function ownSourceHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["pause", "prober", "flannel-cni"]) {
    hash.update(await readFile(join(projectFolder, "lab", "programs", name, "main.go")));
  }
  return hash.digest("hex").slice(0, 12);
}
