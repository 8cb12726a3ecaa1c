import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import type { Artifacts } from "./artifacts.ts";
import { writeImageArchive } from "./imageArchive.ts";
import { addCoreDns, addPause, addProber, ensureImages } from "./images.ts";
import { packK3s } from "./k3sProgram.ts";
import { makeOnce, removeBeside } from "./makeOnce.ts";
import {
  build,
  buildSources,
  buildCoreDns,
  buildEtcd,
  buildFlannel,
  buildOwn,
  versionFlags,
} from "./programs.ts";
import { downloadK3s, downloadKubernetes, k3sFiles, writeChecksums } from "./releases.ts";
import { sourceHash } from "./sourceHash.ts";
import type { TarEntry } from "./tarEntries.ts";
import { artifactVersions } from "./versions.ts";

const { k3s: version, coredns, k3sPauseTag, kine } = artifactVersions;
/** Where in the double's release the operator's kubectl lies. */
const operatorFolder = "operator";
const vendor = "docker.io/rancher/mirrored";

/** k3s' release, the official one or in a closed network our double, and the images of the lab itself. */
export async function k3sArtifacts(machineImage: string): Promise<Artifacts> {
  const own = await buildOwn();
  const official = { release: await downloadK3s(), kubectl: await downloadKubernetes() };
  if (official.release !== undefined && official.kubectl !== undefined) {
    const images = await ensureImages(import.meta.filename, { own }, machineImage, (store) =>
      addProber(store, own),
    );
    return artifacts(official.release, official.kubectl, images);
  }
  const programs = await buildPrograms(own);
  const server = await buildCoreDns();
  const recipe = import.meta.filename;
  const images = await ensureImages(recipe, { own, server }, machineImage, async (store) => {
    await addCoreDns(store, `${vendor}-coredns-coredns:${coredns.slice(1)}`, server);
    await addPause(store, `${vendor}-pause:${k3sPauseTag}`, own);
    await addProber(store, own);
  });
  const release = await makeRelease(programs, images);
  return artifacts(release, join(release, operatorFolder), images);
}

function artifacts(release: string, kubectl: string, images: string): Artifacts {
  const files = { [`/k3s/${version}`]: release };
  return { kubectl, images, files, version: `${release} ${images}` };
}

/** The folders with the programs that our double brings along, and with itself. */
interface K3sPrograms {
  readonly k3s: string;
  readonly kubernetes: string;
  readonly etcd: string;
  readonly kine: string;
  readonly flannel: string;
  readonly own: string;
}

async function buildPrograms(own: string): Promise<K3sPrograms> {
  const kubernetes = join(projectFolder, "lab", "gomodules", "kubernetes");
  const double = join(projectFolder, "lab", "k3s");
  return {
    own,
    etcd: await buildEtcd(),
    flannel: await buildFlannel(),
    kine: await build("kine", kine, { kine: "github.com/k3s-io/kine" }, { cgo: true }),
    kubernetes: await build(
      "kubernetes-all-in-one",
      `${version}-${await sourceHash(join(kubernetes, "all-in-one"))}`,
      { kubernetes: "triad.invalid/kubernetes/all-in-one" },
      { folder: kubernetes, ldflags: versionFlags(version) },
    ),
    k3s: await buildSources("k3s-double", double, { k3s: "triad.invalid/k3s" }),
  };
}

/** Puts the double's release together as the official one is. */
async function makeRelease(programs: K3sPrograms, images: string): Promise<string> {
  const script = join(projectFolder, "lab", "k3s", "install.sh");
  const hash = createHash("sha256").update(JSON.stringify([programs, images]));
  for (const file of [import.meta.filename, script]) hash.update(await readFile(file));
  const folder = join(cacheFolder, "k3s-release", hash.digest("hex").slice(0, 16));
  return await makeOnce(folder, async (making) => {
    await removeBeside(folder);
    progress(`packing k3s ${version}, our double`);
    await packK3s(join(programs.k3s, "k3s"), entries(programs), join(making, k3sFiles.program));
    await writeImageArchive(images, vendor, join(making, k3sFiles.images));
    await copyFile(script, join(making, k3sFiles.install));
    await mkdir(join(making, operatorFolder));
    const kubectl = join(making, operatorFolder, "kubectl");
    await symlink(join(programs.kubernetes, "kubernetes"), kubectl);
    await writeChecksums(making, [k3sFiles.program, k3sFiles.images], k3sFiles.checksums);
  });
}

function entries(programs: K3sPrograms): TarEntry[] {
  const from = (folder: string, names: readonly string[]): TarEntry[] =>
    names.map((name) => ({ path: `bin/${name}`, from: join(folder, name) }));
  const inOne = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"];
  return [
    ...from(programs.kubernetes, ["kubernetes"]),
    ...[...inOne, "kube-proxy", "kubectl"].map((name) => ({
      path: `bin/${name}`,
      linkTo: "kubernetes",
    })),
    ...from(programs.etcd, ["etcd", "etcdctl", "etcdutl"]),
    ...from(programs.kine, ["kine"]),
    ...from(programs.flannel, ["flanneld"]),
    { path: "bin/flannel", from: join(programs.own, "flannel-cni") },
  ];
}
