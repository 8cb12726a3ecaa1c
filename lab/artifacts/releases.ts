import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { lockedChecksum } from "../../tools/toolchain/checksums.ts";
import { cacheFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { makeOnce } from "./makeOnce.ts";
import { artifactVersions } from "./versions.ts";

/** One file of a release: where it is, where its checksum is, and under which names. */
interface ReleaseFile {
  readonly name: string;
  readonly url: string;
  /** A list of checksums, or one alone. */
  readonly sums: string;
  /** Its name in the lock file, with its version. */
  readonly lockedAs: string;
}

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

/** The official programs of Kubernetes; undefined out of reach of their site. */
export async function downloadKubernetes(): Promise<string | undefined> {
  const version = artifactVersions.kubernetes;
  const base = `https://dl.k8s.io/release/${version}/bin/linux/amd64`;
  return await download(
    `kubernetes-${version}`,
    kubernetesPrograms.map((name) => ({
      name,
      url: `${base}/${name}`,
      sums: `${base}/${name}.sha256`,
      lockedAs: `${name}-${version}-linux-amd64`,
    })),
  );
}

/** The names of what a release of k3s has, and of its install script. */
export const k3sFiles = {
  program: "k3s",
  images: "k3s-airgap-images-amd64.tar.gz",
  checksums: "sha256sum-amd64.txt",
  install: "install.sh",
} as const;

/** The official release of k3s with its install script; undefined out of reach of its site. Not run so far. */
export async function downloadK3s(): Promise<string | undefined> {
  const version = encodeURIComponent(artifactVersions.k3s);
  const base = `https://github.com/k3s-io/k3s/releases/download/${version}`;
  const source = `https://raw.githubusercontent.com/k3s-io/k3s/${version}`;
  const { program, images, checksums, install } = k3sFiles;
  const files = [program, images].map((name) => ({
    name,
    url: `${base}/${name}`,
    sums: `${base}/${checksums}`,
    lockedAs: `${name}-${artifactVersions.k3s}`,
  }));
  const script = {
    name: install,
    url: `${source}/${install}`,
    sums: `${source}/${install}.sha256sum`,
    lockedAs: `k3s-${install}-${artifactVersions.k3s}`,
  };
  return await download(`k3s-${artifactVersions.k3s}`, [...files, script], (folder) =>
    writeChecksums(folder, [program, images], checksums),
  );
}

/** Writes a list of checksums of files in a folder, as sha256sum does. */
export async function writeChecksums(
  folder: string,
  names: readonly string[],
  list: string,
): Promise<void> {
  const lines: string[] = [];
  for (const name of names) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, name)), hash);
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await writeFile(join(folder, list), lines.join(""));
}

/** Gets the files of a release, checked against the release's own checksums, unless it is out of reach. */
async function download(
  release: string,
  files: readonly ReleaseFile[],
  finish: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<string | undefined> {
  const folder = join(cacheFolder, "releases", release);
  if (!existsSync(folder) && !(await isInReach(files[0]?.sums ?? ""))) return undefined;
  return await makeOnce(folder, async (making) => {
    for (const { name, url, sums, lockedAs } of files) {
      progress(`downloading ${url}`);
      const expected = await lockedChecksum(lockedAs, sums, undefined, name);
      const response = await fetch(url, { signal: AbortSignal.timeout(600_000) });
      const content = new Uint8Array(await response.arrayBuffer());
      const found = createHash("sha256").update(content).digest("hex");
      if (found !== expected) {
        throw new Error(`${url}: its SHA-256 is ${found}, expected was ${String(expected)}`);
      }
      await writeFile(join(making, name), content, { mode: 0o755 });
    }
    await finish(making);
  });
}

async function isInReach(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
  return answer?.ok === true;
}
