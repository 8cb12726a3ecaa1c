import { createHash } from "node:crypto";
import { mkdir, readFile, readlink, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withLock } from "../../tools/toolchain/withLock.ts";
import { must } from "../machines/shell.ts";
import { cacheFolder, projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { ImageStore, type LayerEntry } from "./imageStore.ts";
import type { Programs } from "./programs.ts";
import { artifactVersions } from "./versions.ts";

/** The images that are the lab's own, and flannel's. */
export const imageNames = {
  prober: "docker.io/lab/prober:1",
  flannel: `ghcr.io/flannel-io/flannel:${artifactVersions.flannel}`,
  flannelCni: "ghcr.io/flannel-io/flannel-cni-plugin:v1.6.2-flannel1",
} as const;

/** Programs of the machine image that kube-proxy's and flannel's images need beside their own. */
const debianPrograms = [
  "/bin/sh",
  "/bin/cp",
  "/usr/sbin/xtables-nft-multi",
  "/usr/sbin/conntrack",
  "/usr/sbin/ipset",
  "/usr/sbin/nft",
];

const iptablesNames = ["iptables", "iptables-save", "iptables-restore"];

/**
 * The store of all images that the lab's cluster pulls, put together from programs when it is not in
 * the cache: each image is a layer with the program at the place where the real image has it.
 */
export async function ensureImages(programs: Programs, machineImage: string): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([programs, machineImage]));
  for (const file of ["images.ts", "imageStore.ts", "versions.ts"]) {
    hash.update(await readFile(join(projectFolder, "lab", "artifacts", file)));
  }
  const folder = join(cacheFolder, "container-images", hash.digest("hex").slice(0, 16));
  const isComplete = async (): Promise<boolean> =>
    (await stat(folder).catch(() => undefined)) !== undefined;
  if (await isComplete()) return folder;
  return await withLock(`${folder}.lock`, async () => {
    if (!(await isComplete())) {
      progress("putting the container images together");
      const making = `${folder}.making`;
      await rm(making, { recursive: true, force: true });
      await mkdir(making, { recursive: true });
      await makeImages(new ImageStore(making), programs, machineImage);
      await rename(making, folder);
    }
    return folder;
  });
}

async function makeImages(
  store: ImageStore,
  programs: Programs,
  machineImage: string,
): Promise<void> {
  const { kubernetes: version, coredns, pauseTag, etcdTag } = artifactVersions;
  const registry = "registry.k8s.io";
  const debian = await debianLayer(machineImage);
  for (const name of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]) {
    const layer = [program(programs.kubernetes, name), certificates(machineImage)];
    await store.add(`${registry}/${name}:${version}`, [layer], { entrypoint: [name] });
  }
  const proxy = [program(programs.kubernetes, "kube-proxy")];
  await store.add(`${registry}/kube-proxy:${version}`, [debian, proxy], {
    entrypoint: ["/usr/local/bin/kube-proxy"],
  });
  const etcdPrograms = ["etcd", "etcdctl", "etcdutl"].map((name) => program(programs.etcd, name));
  await store.add(`${registry}/etcd:${etcdTag}`, [etcdPrograms], {
    command: ["/usr/local/bin/etcd"],
  });
  await store.add(
    `${registry}/coredns/coredns:${coredns}`,
    [[{ path: "/coredns", from: join(programs.coredns, "coredns") }]],
    { entrypoint: ["/coredns"] },
  );
  await store.add(
    `${registry}/pause:${pauseTag}`,
    [[{ path: "/pause", from: join(programs.own, "pause") }]],
    { entrypoint: ["/pause"], user: "65535:65535" },
  );
  await store.add(imageNames.prober, [[program(programs.own, "prober")]], {
    entrypoint: ["/usr/local/bin/prober"],
    command: ["serve"],
    user: "65534:65534",
  });
  const flanneld = [{ path: "/opt/bin/flanneld", from: join(programs.flannel, "flanneld") }];
  await store.add(imageNames.flannel, [debian, flanneld], { entrypoint: ["/opt/bin/flanneld"] });
  const cni = [{ path: "/flannel", from: join(programs.own, "flannel-cni") }];
  await store.add(imageNames.flannelCni, [debian, cni], {});
  await store.close();
}

function program(folder: string, name: string): LayerEntry {
  return { path: `/usr/local/bin/${name}`, from: join(folder, name) };
}

function certificates(machineImage: string): LayerEntry {
  const path = "/etc/ssl/certs/ca-certificates.crt";
  return { path, from: join(machineImage, path), mode: 0o644 };
}

/** A shell, cp, iptables and what they load, out of the machine image. */
async function debianLayer(machineImage: string): Promise<LayerEntry[]> {
  const extensions = "/usr/lib/x86_64-linux-gnu/xtables";
  const plugins = (await readdir(join(machineImage, extensions))).map((name) =>
    join(extensions, name),
  );
  const linked = await must(["chroot", machineImage, "ldd", ...debianPrograms, ...plugins]);
  const libraries = [...linked.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  const files = await Promise.all(
    [...new Set([...debianPrograms, ...libraries, ...plugins])].map(async (path) => ({
      path,
      from: await resolveInside(machineImage, path),
    })),
  );
  const links = iptablesNames
    .flatMap((name) => [name, name.replace("ip", "ip6")])
    .map((name) => ({ path: `/usr/sbin/${name}`, linkTo: "xtables-nft-multi" }));
  return [
    ...files,
    ...links,
    { path: "/etc/passwd", text: "root:x:0:0:root:/root:/bin/sh\n" },
    { path: "/etc/protocols", text: await readFile(join(machineImage, "etc/protocols"), "utf8") },
  ];
}

/** The file that a path of the machine image leads to, with all links followed inside the image. */
async function resolveInside(root: string, path: string): Promise<string> {
  let now = "/";
  for (const part of path.split("/").filter((each) => each !== "")) {
    const next = join(now, part);
    const target = await readlink(join(root, next)).catch(() => undefined);
    if (target === undefined) now = next;
    else now = target.startsWith("/") ? target : join(dirname(next), target);
  }
  const again = await readlink(join(root, now)).catch(() => undefined);
  return again === undefined ? join(root, now) : await resolveInside(root, now);
}
