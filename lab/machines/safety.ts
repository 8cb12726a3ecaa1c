import { mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { runtimeFolder } from "../paths.ts";

const savedFile = join(runtimeFolder, "kernel.json");
const settings = z.record(z.string(), z.string());
const trees = ["/proc/sys/fs", "/proc/sys/kernel", "/proc/sys/vm"];

/** Settings that change by themselves, or do something when they are written. */
const leaveAlone =
  /binfmt_misc|\/random\/|_next_id$|ns_last_pid|hostname$|domainname$|compact_memory|drop_caches|stat_refresh|user_reserve|admin_reserve|min_free_kbytes/;

/**
 * What the lab sets for the whole computer: kubelet wants the first four and can't write them from a
 * machine; eight machines need more inotify instances than root usually has.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.34.2/staging/src/k8s.io/component-helpers/node/util/sysctl/sysctl.go
 */
const needed: Readonly<Record<string, number>> = {
  "/proc/sys/vm/overcommit_memory": 1,
  "/proc/sys/kernel/panic": 10,
  "/proc/sys/kernel/panic_on_oops": 1,
  "/proc/sys/kernel/keys/root_maxkeys": 1_000_000,
  "/proc/sys/kernel/keys/root_maxbytes": 25_000_000,
  "/proc/sys/fs/inotify/max_user_instances": 8192,
  "/proc/sys/fs/inotify/max_user_watches": 1_048_576,
};

/** Remembers the kernel's settings that all of the computer shares, then sets what the lab needs. */
export async function borrowKernel(): Promise<void> {
  const saved: Record<string, string> = {};
  for (const tree of trees) {
    for (const path of await settingsBelow(tree)) {
      const value = await readFile(path, "utf8").catch(() => undefined);
      if (value !== undefined) saved[path] = value;
    }
  }
  await mkdir(runtimeFolder, { recursive: true, mode: 0o700 });
  // An earlier lab that was killed has left the true values; those of now would be its own.
  await writeFile(savedFile, JSON.stringify(saved), { flag: "wx" }).catch(() => undefined);
  for (const [path, value] of Object.entries(needed)) {
    const now = Number(await readFile(path, "utf8").catch(() => String(value)));
    const enough =
      path.includes("/inotify/") || path.includes("/keys/") ? now >= value : now === value;
    if (!enough) await writeFile(path, String(value));
  }
}

/** Gives the computer its own settings back; the names of those that were different. */
export async function giveKernelBack(): Promise<string[]> {
  const text = await readFile(savedFile, "utf8").catch(() => "{}");
  const restored: string[] = [];
  for (const [path, value] of Object.entries(settings.parse(JSON.parse(text)))) {
    const now = await readFile(path, "utf8").catch(() => value);
    if (now === value) continue;
    await writeFile(path, value).catch(() => undefined);
    restored.push(path);
  }
  return restored;
}

async function settingsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (leaveAlone.test(path)) continue;
    if (entry.isDirectory()) found.push(...(await settingsBelow(path)));
    else if (((await stat(path)).mode & 0o600) === 0o600) found.push(path);
  }
  return found;
}
