import { z } from "zod";
import type { Sample } from "./sample.ts";

/** Where the writer puts its ConfigMaps. */
export const writerNamespace = "lab-writer";

const configMapsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      data: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** The names of acknowledged writes which a list of ConfigMaps, as kubectl prints it, lacks or has with another value. */
export function lostWrites(samples: readonly Sample[], configMapList: string): string[] {
  const { items } = configMapsSchema.parse(JSON.parse(configMapList));
  const values = new Map(items.map(({ metadata, data }) => [metadata.name, data?.["value"]]));
  return samples
    .filter(({ ok, name, value }) => ok && name !== undefined && values.get(name) !== value)
    .map(({ name }) => String(name));
}
