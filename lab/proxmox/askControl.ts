import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { statePaths } from "../paths.ts";
import { askedSchema, machineSchema } from "./control.ts";
import type { Fault } from "./faults.ts";

const reply = z.object({ data: z.unknown(), error: z.string().optional() });

/**
 * Asks the double of the lab that is up, behind its API.
 * @param what asked, machines, fault, lift or hand
 * @throws Error with what it said, or when it does not run
 */
export async function askControl(
  what: string,
  body?: unknown,
  socketPath = statePaths.proxmox.socket,
): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath, method: "POST", path: `/${what}`, agent: false });
    asked.on("response", resolve).on("error", reject);
    asked.end(body === undefined ? "" : JSON.stringify(body));
  });
  const { data, error } = reply.parse(JSON.parse(await text(response)));
  if (error !== undefined) throw new Error(`the lab's Proxmox: ${error}`);
  return data;
}

/** What its clients have asked for so far. */
export async function askedOfProxmox(): Promise<z.infer<typeof askedSchema>> {
  return askedSchema.parse(await askControl("asked"));
}

/** The machines that were created and are there. */
export async function machinesOnProxmox(): Promise<z.infer<typeof machineSchema>[]> {
  return z.array(machineSchema).parse(await askControl("machines"));
}

/** Brings a fault; {@link liftProxmoxFaults} lifts all. */
export async function bringProxmoxFault(fault: Fault): Promise<void> {
  await askControl("fault", fault);
}

/** @see {@link bringProxmoxFault} */
export async function liftProxmoxFaults(): Promise<void> {
  await askControl("lift");
}

/** Does what an administrator does by hand, and waits for the tasks that it began. */
export async function proxmoxByHand(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  form: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  return await askControl("hand", { method, path, form });
}
