import { readFile, readlink, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { must } from "../machines/shell.ts";
import type { TarEntry } from "./tarEntries.ts";

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

/** A shell, cp, iptables and what they load, out of the machine image. */
export async function debianLayer(machineImage: string): Promise<TarEntry[]> {
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
