import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { isRunning } from "./datacenter.ts";
import { faultSchema } from "./faultSchema.ts";
import type { Proxmox } from "./proxmox.ts";
import { namesOf } from "./record.ts";
import { cpusOf, memoryOf } from "./vm.ts";

/** What the double tells of a VM behind the API's back. */
export const machineSchema = z.object({
  id: z.number(),
  name: z.string(),
  node: z.string(),
  memoryBytes: z.number(),
  cpus: z.number(),
  runs: z.boolean(),
});

/** What was asked so far. */
export const askedSchema = z.object({
  /** Paths and parameters, each once. */
  names: z.array(z.string()),
  /** Requests that are no part of a good run: what the double does not know, or refuses. */
  refused: z.array(z.string()),
  /** How many changed something. */
  changes: z.number(),
});

const handSchema = z.object({
  method: z.enum(["GET", "POST", "PUT", "DELETE"]),
  path: z.string(),
  form: z.record(z.string(), z.string()).default({}),
});

/**
 * Lets the lab look behind the API, bring faults, and do what an administrator does by hand; over a socket of its own.
 * @returns what ends it
 */
export async function serveControl(proxmox: Proxmox, socket: string): Promise<() => void> {
  const lifts: (() => void)[] = [];
  const answers: Readonly<Record<string, (body: unknown) => unknown>> = {
    asked: () => askedOf(proxmox),
    machines: () => machinesOf(proxmox),
    fault: (body) => {
      lifts.push(proxmox.fault(faultSchema.parse(body)));
    },
    lift: () => {
      for (const lift of lifts.splice(0)) lift();
    },
    hand: async (body) => {
      const { method, path, form } = handSchema.parse(body);
      const data = await proxmox.byHand(method, path, form);
      await proxmox.datacenter.tasks.settle();
      return data;
    },
  };
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const said = await text(request);
    const what = (request.url ?? "").slice(1);
    const act = answers[what];
    if (act === undefined) throw new Error(`there is no ${what}`);
    return await act(said === "" ? undefined : JSON.parse(said));
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (data) => response.end(JSON.stringify({ data: data ?? null })),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(JSON.stringify({ data: null, error: String(error) }));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return () => void server.close();
}

function askedOf({ requests }: Proxmox): z.infer<typeof askedSchema> {
  const refused = requests.filter(({ status }) => status === 400 || status === 501);
  return {
    names: [...namesOf(requests)],
    refused: [...new Set(refused.map(({ method, path, status }) => `${status} ${method} ${path}`))],
    changes: requests.filter(({ method }) => method !== "GET").length,
  };
}

/** Those that were created: no templates, and nothing that was there from the start. */
async function machinesOf({ datacenter }: Proxmox): Promise<z.infer<typeof machineSchema>[]> {
  const { vms, options } = datacenter;
  const first = new Set(options.guests?.map(({ id }) => id));
  const created = [...vms.values()].filter(
    ({ id, config }) => config["template"] !== 1 && !first.has(id),
  );
  return await Promise.all(
    created.map(async (vm) => {
      const runs = await isRunning(datacenter, vm);
      const config = vm.running?.config ?? vm.config;
      return {
        ...{ id: vm.id, name: String(vm.config["name"]), node: vm.node, runs },
        ...{ memoryBytes: memoryOf(config), cpus: cpusOf(config) },
      };
    }),
  );
}
