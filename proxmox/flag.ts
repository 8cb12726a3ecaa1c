import * as z from "zod";

/** A truth, which Proxmox writes as 1, 0 or not at all; some versions as text. */
export const flag = z
  .union([z.boolean(), z.number(), z.string()])
  .default(false)
  .transform((value) => [true, 1, "1"].includes(value));
