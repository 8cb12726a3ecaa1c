import { readFile } from "node:fs/promises";
import { diskOf } from "../machines/mounts.ts";

/**
 * The layers of which a machine's disk is made, below its own, the topmost first.
 * @throws Error when its disk is not mounted
 */
export async function lowerLayersOf(machine: string): Promise<string[]> {
  const table = await readFile("/proc/self/mounts", "utf8");
  const layers = lowerLayersIn(table, diskOf(machine).root);
  if (layers === undefined) throw new Error(`the disk of ${machine} is not mounted`);
  return layers;
}

/** Reads them in a table of mounts as /proc/self/mounts has it. */
export function lowerLayersIn(table: string, point: string): string[] | undefined {
  const line = table.split("\n").find((one) => one.split(" ")[1] === point);
  const options = line?.split(" ")[3] ?? "";
  return /(?:^|,)lowerdir=([^,]*)/.exec(options)?.[1]?.split(":");
}
