import { z } from "zod";

/** A VM's number. */
export const vmid = z.coerce.number().int().min(100).max(999_999_999);

/** 1 or 0, and the words that Proxmox takes as well. */
export const flag = z.stringbool({
  truthy: ["1", "on", "yes", "true"],
  falsy: ["0", "off", "no", "false"],
});

/** Input of an endpoint about a node. */
export const onNode = z.strictObject({ node: z.string() });

/** Input of an endpoint about a VM. */
export const onVm = z.strictObject({ node: z.string(), vmid });
