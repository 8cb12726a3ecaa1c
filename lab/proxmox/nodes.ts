import { z } from "zod";
import { need } from "./access.ts";
import { badParameter } from "./apiError.ts";
import type { Datacenter } from "./datacenter.ts";
import type { GuestOptions, NodeOptions } from "./options.ts";
import { flag, onNode } from "./parameters.ts";
import { committedOf } from "./power.ts";
import { maySee, statusOf } from "./vms.ts";

/** Nodes with their figures, and the list of everything in the cluster. */
export function nodeEndpoints(datacenter: Datacenter): void {
  const { api, options, resolvers } = datacenter;
  api.on("GET", "/version", {
    input: z.strictObject({}),
    answer: () => ({ version: "9.0.3", release: "9.0", repoid: "025864202ebb6109" }),
  });
  api.on("GET", "/access/permissions", {
    input: z.strictObject({}),
    answer: (_input, caller) => {
      const rights = Object.entries(caller.permissions()).map(([path, privileges]) => {
        // 1 says that a right goes on to the paths below.
        return [path, Object.fromEntries(privileges.map((one) => [one, 1]))] as const;
      });
      return Object.fromEntries(rights);
    },
  });
  api.on("GET", "/nodes", {
    input: z.strictObject({}),
    answer: () => options.nodes.map((node) => nodeRow(datacenter, node)),
  });
  api.on("GET", "/nodes/:node/status", {
    input: onNode,
    needs: ({ node }) => [need("Sys.Audit", `/nodes/${node}`)],
    answer: ({ node }) => statusOfNode(datacenter, find(options.nodes, node)),
  });
  api.on("GET", "/cluster/resources", {
    input: z.strictObject({ type: z.enum(["vm", "node", "storage"]).optional() }),
    answer: async ({ type }, caller) => {
      const rows = [
        ...(await guestRows(datacenter)).filter(({ vmid }) => maySee(caller, { id: vmid })),
        ...options.nodes.map((node) => ({ ...nodeRow(datacenter, node), type: "node" })),
        ...storageRows(datacenter).filter(({ storage }) =>
          caller.allows(`/storage/${storage}`, "Datastore.Audit"),
        ),
      ];
      return rows.filter((row) => type === undefined || kindOf(row.type) === type);
    },
  });
  api.on("GET", "/nodes/:node/lxc", {
    input: onNode,
    answer: ({ node }, caller) =>
      containersOf(options.guests, node)
        .filter((one) => maySee(caller, one))
        .map(containerRow),
  });
  api.on("GET", "/nodes/:node/lxc/:vmid/config", {
    input: onNode.extend({ vmid: z.coerce.number(), current: flag.optional() }),
    needs: ({ vmid }) => [need("VM.Audit", `/vms/${vmid}`)],
    answer: ({ node, vmid }) => {
      const found = containersOf(options.guests, node).find(({ id }) => id === vmid);
      if (found === undefined) throw badParameter("vmid", `CT ${vmid} does not exist`);
      const { name, memoryBytes, cpus, onBoot } = found;
      const memory = memoryBytes / 1024 ** 2;
      return { hostname: name, memory, cores: cpus, onboot: onBoot ? 1 : 0 };
    },
  });
  api.on("GET", "/nodes/:node/dns", {
    input: onNode,
    needs: ({ node }) => [need("Sys.Audit", `/nodes/${node}`)],
    answer: ({ node }) => {
      const { search, servers } = resolvers.get(node) ?? { search: "", servers: [] };
      const named = servers.map((server, index) => [`dns${index + 1}`, server] as const);
      return { search, ...Object.fromEntries(named) };
    },
  });
  const server = z.string().optional();
  api.on("PUT", "/nodes/:node/dns", {
    input: onNode.extend({ search: z.string(), dns1: server, dns2: server, dns3: server }),
    needs: ({ node }) => [need("Sys.Modify", `/nodes/${node}`)],
    answer: ({ node, search, ...servers }) => {
      const given = Object.values(servers).filter((one) => one !== undefined);
      resolvers.set(node, { search, servers: given });
    },
  });
}

function find(nodes: readonly NodeOptions[], name: string): NodeOptions {
  const node = nodes.find((one) => one.name === name);
  if (node === undefined) throw badParameter("node", `node '${name}' does not exist`);
  return node;
}

/** Everything that runs on the node, and what it keeps for itself. */
function usedMemory(datacenter: Datacenter, { name, reservedBytes = 0 }: NodeOptions): number {
  const containers = containersOf(datacenter.options.guests, name).filter((one) => one.running);
  const sum = containers.reduce((bytes, { memoryBytes }) => bytes + memoryBytes, 0);
  return reservedBytes + committedOf(datacenter, name) + sum;
}

function nodeRow(datacenter: Datacenter, node: NodeOptions) {
  const { name, cpus, memoryBytes } = node;
  return {
    ...{ id: `node/${name}`, node: name, type: "node", status: "online", level: "" },
    ...{ ssl_fingerprint: "", maxcpu: cpus, cpu: 0.05, maxmem: memoryBytes, uptime: 86_400 },
    mem: usedMemory(datacenter, node),
    ...{ disk: 0, maxdisk: 0 },
  };
}

function statusOfNode(datacenter: Datacenter, node: NodeOptions) {
  const { cpus, memoryBytes: total } = node;
  const used = Math.min(usedMemory(datacenter, node), total);
  const cores = Math.max(1, Math.floor(cpus / 2));
  return {
    cpu: 0.05,
    cpuinfo: { cores, cpus, sockets: 1, model: "Common KVM processor", mhz: "3000" },
    memory: { total, used, free: total - used, available: total - used },
    swap: { total: 0, used: 0, free: 0 },
    ...{ uptime: 86_400, loadavg: ["0.10", "0.10", "0.10"], pveversion: "pve-manager/9.0.3" },
  };
}

async function guestRows(datacenter: Datacenter) {
  const { vms, pools, options } = datacenter;
  const rows = [...vms.values()].map(async (vm) => {
    const { cpus, ...status } = await statusOf(datacenter, vm);
    const pool = [...pools].find(([, members]) => members.has(vm.id))?.[0];
    return {
      ...{ id: `qemu/${vm.id}`, node: vm.node, type: "qemu", template: 0, maxcpu: cpus },
      ...(pool === undefined ? {} : { pool }),
      ...status,
      vmid: vm.id,
    };
  });
  const containers = options.nodes.flatMap(({ name }) =>
    containersOf(options.guests, name).map((guest) => ({
      ...{ id: `lxc/${guest.id}`, node: name, type: "lxc" },
      ...containerRow(guest),
    })),
  );
  return [...(await Promise.all(rows)), ...containers];
}

function storageRows({ options, storages }: Datacenter) {
  return options.nodes.flatMap(({ name: node }) =>
    storages
      .of(node)
      .map(({ options: { name, type, shared, content, totalBytes }, usedBytes }) => ({
        ...{ id: `storage/${node}/${name}`, type: "storage", node, storage: name },
        ...{ status: "available", shared: shared ? 1 : 0, content: content.join(",") },
        ...{ plugintype: type, maxdisk: totalBytes, disk: usedBytes },
      })),
  );
}

function containersOf(guests: readonly GuestOptions[] | undefined, node: string) {
  return (guests ?? []).filter((guest) => guest.kind === "lxc" && guest.node === node);
}

function containerRow({ id, name, memoryBytes, cpus, running }: GuestOptions) {
  return {
    ...{ vmid: id, name, status: running ? "running" : "stopped", template: 0 },
    ...{ maxmem: memoryBytes, mem: running ? memoryBytes : 0, maxcpu: cpus, cpus },
    ...{ cpu: 0, disk: 0, maxdisk: 0, uptime: running ? 86_400 : 0 },
  };
}

function kindOf(type: string): string {
  return type === "qemu" || type === "lxc" ? "vm" : type;
}
