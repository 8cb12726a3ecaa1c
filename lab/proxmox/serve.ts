/**
 * The double of Proxmox as a lab has it, run inside the lab's network namespace for as long as the lab is up:
 * `node serve.ts STACK LAYER...`, with the layers of the templates' disk, the topmost first. Its certificates and its
 * token are in the lab's state.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { statePaths } from "../paths.ts";
import { topologyOf } from "../topology.ts";
import { serveControl } from "./control.ts";
import { proxmoxOptionsOf } from "./labOptions.ts";
import { nspawnHypervisor } from "./nspawnHypervisor.ts";
import { startProxmox } from "./proxmox.ts";

const [stack = "", ...layers] = process.argv.slice(2);
const topology = topologyOf(stack);
const { folder, pid, socket, token } = statePaths.proxmox;
const read = (file: string): Promise<string> => readFile(file, "utf8");

const proxmox = await startProxmox(
  proxmoxOptionsOf(topology, {
    hypervisor: nspawnHypervisor(topology, layers),
    tls: {
      key: await read(join(folder, "server.key")),
      cert: await read(join(folder, "server.crt")),
    },
    secret: (await read(token)).trim(),
  }),
);
await serveControl(proxmox, socket);
await writeFile(pid, `${String(process.pid)}\n`);
console.log(`${proxmox.url} with the disk ${layers.join(":")}`);
