import { join } from "node:path";
import type { Artifacts } from "./artifacts.ts";
import { debianLayer } from "./debianLayer.ts";
import type { ImageStore } from "./imageStore.ts";
import { addCoreDns, addPause, addProber, ensureImages, imageNames, program } from "./images.ts";
import { downloadKubernetes, kubernetesPrograms } from "./releases.ts";
import {
  build,
  buildCoreDns,
  buildEtcd,
  buildFlannel,
  buildOwn,
  versionFlags,
} from "./programs.ts";
import { artifactVersions } from "./versions.ts";

/** Kubernetes' programs where dl.k8s.io has them, and the images that kubeadm and flannel's manifest ask for. */
export async function kubeadmArtifacts(machineImage: string): Promise<Artifacts> {
  const kubernetes = (await downloadKubernetes()) ?? (await buildKubernetes());
  const programs = {
    kubernetes,
    etcd: await buildEtcd(),
    coredns: await buildCoreDns(),
    flannel: await buildFlannel(),
    own: await buildOwn(),
  };
  const images = await ensureImages(import.meta.filename, programs, machineImage, (store) =>
    addImages(store, programs, machineImage),
  );
  return {
    kubectl: kubernetes,
    images,
    files: { [`/release/${artifactVersions.kubernetes}/bin/linux/amd64`]: kubernetes },
    version: images,
  };
}

function buildKubernetes(): Promise<string> {
  const version = artifactVersions.kubernetes;
  const packages = kubernetesPrograms.map((name): [string, string] => [
    name,
    `k8s.io/kubernetes/cmd/${name}`,
  ]);
  return build("kubernetes", version, Object.fromEntries(packages), {
    ldflags: versionFlags(version),
  });
}

async function addImages(
  store: ImageStore,
  programs: Readonly<Record<"kubernetes" | "etcd" | "coredns" | "flannel" | "own", string>>,
  machineImage: string,
): Promise<void> {
  const { kubernetes: version, coredns, pauseTag, etcdTag } = artifactVersions;
  const registry = "registry.k8s.io";
  const debian = await debianLayer(machineImage);
  const authorities = "/etc/ssl/certs/ca-certificates.crt";
  const certificates = {
    path: authorities,
    from: join(machineImage, authorities),
    mode: 0o644,
  };
  for (const name of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]) {
    const layer = [program(programs.kubernetes, name), certificates];
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
  await addCoreDns(store, `${registry}/coredns/coredns:${coredns}`, programs.coredns);
  await addPause(store, `${registry}/pause:${pauseTag}`, programs.own);
  await addProber(store, programs.own);
  const flanneld = [{ path: "/opt/bin/flanneld", from: join(programs.flannel, "flanneld") }];
  await store.add(imageNames.flannel, [debian, flanneld], { entrypoint: ["/opt/bin/flanneld"] });
  const cni = [{ path: "/flannel", from: join(programs.own, "flannel-cni") }];
  await store.add(imageNames.flannelCni, [debian, cni], {});
}
