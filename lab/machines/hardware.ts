import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { statePaths } from "../paths.ts";

const schema = z.object({ mac: z.string(), memoryBytes: z.number(), cpus: z.number() });

/** What a virtual machine is made of: it boots with the same after a loss of power. */
export type Hardware = Readonly<z.infer<typeof schema>>;

/** What a machine was given; nothing where it is as large as the computer. */
export async function hardwareOf(machine: string): Promise<Hardware | undefined> {
  const text = await readFile(fileOf(machine), "utf8").catch(() => undefined);
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}

/** Gives a machine, before it boots, what it shall have. */
export async function giveHardware(machine: string, hardware: Hardware): Promise<void> {
  await writeFile(fileOf(machine), JSON.stringify(hardware));
}

function fileOf(machine: string): string {
  return join(statePaths.machine(machine), "hardware.json");
}
