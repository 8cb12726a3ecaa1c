import { z } from "zod";
import { text } from "../values/complaint.ts";
import { judgeUrl } from "../values/url.ts";

/** Where distributions publish what they release. */
export const defaultArtifacts = {
  binaries: "https://dl.k8s.io",
  k3s: "https://github.com/k3s-io/k3s/releases/download",
};

const withoutSlash = (url: string): string => url.replace(/\/+$/, "");

/** A URL with a default; a slash at its end is left out. */
const source = (byDefault: string) =>
  text(judgeUrl, byDefault).transform(withoutSlash).prefault(byDefault);

/** Where binaries and images come from. */
export const artifacts = z.strictObject({
  binaries: source(defaultArtifacts.binaries).describe(
    "With kubeadm: URL under which lie release/VERSION/bin/linux/ARCH/{kubeadm,kubelet,kubectl} and their .sha256.",
  ),
  k3s: source(defaultArtifacts.k3s).describe(
    "With k3s: URL under which lie VERSION/{k3s,k3s-arm64,k3s-armhf}, sha256sum-ARCH.txt and k3s-airgap-images-ARCH.tar.gz; the + of a version is written %2B.",
  ),
  imageMirror: text(judgeUrl, "http://10.0.20.1:5000")
    .transform(withoutSlash)
    .exactOptional()
    .describe("URL of an OCI registry that mirrors the public ones. Default: these themselves."),
});
