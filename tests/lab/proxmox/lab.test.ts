import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { parseConfig } from "../../../config/parse.ts";
import { limitGroups, limitsIn } from "../../../lab/machines/cgroups.ts";
import { projectFolder } from "../../../lab/paths.ts";
import { interfacesIn } from "../../../lab/proxmox/guestInterfaces.ts";
import { proxmoxOptionsOf, rights } from "../../../lab/proxmox/labOptions.ts";
import { notIn } from "../../../lab/proxmox/listedRequests.ts";
import { wrongInOrder } from "../../../lab/proxmox/orderOfDeletes.ts";
import { putSeed, seedFilesOf } from "../../../lab/proxmox/seedFolder.ts";
import { createdMachines, existingMachines, topologyOf } from "../../../lab/topology.ts";
import { hostKeyOf } from "../../../seed/hostKey.ts";
import { isoImage } from "../../../seed/iso.ts";
import { startDouble } from "./support/double.ts";

const secrets = { tls: { key: "", cert: "" }, secret: "s" };
describe("Proxmox in the lab", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "triad-lab-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  for (const stack of ["lab-proxmox", "lab-external", "lab-proxmox-new"]) {
    describe(`the home ${stack}`, () => {
      const topology = topologyOf(stack);
      const { nodes, templates = [], guests = [] } = proxmoxOptionsOf(topology, secrets);

      it("has a stack file that describes exactly its machines, and passes the config's rules", async () => {
        const text = await readFile(join(projectFolder, "lab/stacks", `${stack}.yaml`), "utf8");
        const { config } = z.object({ config: z.record(z.string(), z.any()) }).parse(parse(text));
        const raw = Object.fromEntries(
          Object.entries(config).map(([key, value]) => [key.replace("triad:", ""), value]),
        );
        for (const name of Object.keys(raw["machines"])) {
          const key = hostKeyOf("0123456789abcdef0123456789abcdef", {
            cluster: "homelab",
            machine: name,
          });
          raw["machines"][name].hostKey = key.public;
        }
        raw["ssh"].privateKeyFile = "package.json";
        for (const key of ["dnsTsigSecret", "hostKeySeed", "proxmoxToken"]) {
          raw[key] = { secure: "v1:bm90IGEgc2VjcmV0:bm90IGEgc2VjcmV0" };
        }
        const { machines } = parseConfig(raw);
        const described = topology.machines.filter(
          ({ role, isForeign }) => role !== "dns" && isForeign !== true,
        );
        assert.deepEqual(
          Object.entries(machines).map(([name, { address, vm }]) => [
            name,
            address,
            vm !== undefined,
          ]),
          described.map(({ name, address, isCreated }) => [name, address, isCreated === true]),
        );
        for (const { vm } of Object.values(machines)) {
          if (vm?.source.kind !== "template") continue;
          const { vmId, node } = vm.source;
          assert.ok(
            templates.some((one) => one.id === vmId && one.node === node && one.node === vm.node),
          );
        }
      });

      it("shows on Proxmox what exists, and nothing of what is to be created", () => {
        const names = guests.map(({ name }) => name);
        assert.deepEqual(
          names,
          existingMachines(topology).map(({ name }) => name),
        );
        assert.ok(createdMachines(topology).every(({ name }) => !names.includes(name)));
        const ids = [...guests, ...templates].map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
        assert.deepEqual(
          templates.map(({ node }) => node),
          nodes.map(({ name }) => name),
        );
      });
    });
  }

  describe("the rights of its token", () => {
    it("are those that docs/proxmox.md asks for", async () => {
      const text = await readFile(join(projectFolder, "docs/proxmox.md"), "utf8");
      const asked: Record<string, string[]> = {};
      for (const [, root = "", row = ""] of text.matchAll(/^ +\| `(\/\w+)[^|]*\| ([^|]*) \|/gm)) {
        const names = row.match(/(?:[A-Z]\w+)?(?:\.[A-Z]\w+)+/g) ?? [];
        // The rights to a configuration stand there as one and the ends of the others.
        const whole = names.map((name) => name.replace(/^\./, "VM.Config."));
        asked[root] = [...new Set([...(asked[root] ?? []), ...whole])].sort();
      }
      assert.deepEqual(
        Object.fromEntries(Object.entries(rights).map(([root, own]) => [root, own.toSorted()])),
        asked,
      );
    });
  });

  describe("a server that was there before", () => {
    it("is known at Proxmox by the address of its network card", async () => {
      const { nodes, guests = [] } = proxmoxOptionsOf(topologyOf("lab-proxmox"), secrets);
      const double = await startDouble({ nodes, guests, templates: [] });
      try {
        const { net0 } = z
          .object({ net0: z.string() })
          .parse(await double.byHand("GET", "/nodes/pve1/qemu/101/config"));
        assert.match(net0, /^virtio=02:54:0A:00:14:64,/);
      } finally {
        await double.close();
      }
    });
  });

  describe("a machine's seed", () => {
    const image = isoImage("cidata", { "meta-data": "a", "user-data": "b", "network-config": "c" });
    const made = { metaData: "1", userData: "2", networkConfig: "3" };

    it("is that of its disc, before what Proxmox makes", () => {
      const files = { "meta-data": "a", "user-data": "b", "network-config": "c" };
      assert.deepEqual(seedFilesOf([image], made), files);
    });

    it("is what Proxmox makes, where its discs are others", () => {
      const files = { "meta-data": "1", "user-data": "2", "network-config": "3" };
      assert.deepEqual(
        seedFilesOf([Buffer.from("no image"), isoImage("x", { readme: "" })], made),
        files,
      );
      assert.equal(seedFilesOf([], undefined), undefined);
    });

    it("lies where cloud-init looks, readable by nobody else, and goes with the disc", async () => {
      const at = join(folder, "var/lib/cloud/seed/nocloud");
      await putSeed(folder, seedFilesOf([image], undefined));
      assert.deepEqual((await readdir(at)).sort(), ["meta-data", "network-config", "user-data"]);
      assert.equal(await readFile(join(at, "user-data"), "utf8"), "b");
      assert.equal((await stat(join(at, "user-data"))).mode & 0o777, 0o600);
      await putSeed(folder, undefined);
      await assert.rejects(readdir(at), /ENOENT/);
    });
  });

  describe("a machine's share of the computer", () => {
    const share = { memoryBytes: 2 ** 31, cpus: 2 };
    /** What the kernel has in these files of a new group, and what there is once it was limited. */
    const limited = async (files: Readonly<Record<string, string>>): Promise<string[]> => {
      for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
      assert.notDeepEqual(await limitsIn([folder]), share);
      await limitGroups([folder], share);
      assert.deepEqual(await limitsIn([folder]), share);
      assert.deepEqual((await readdir(folder)).sort(), Object.keys(files).sort());
      const written = Object.keys(files).map((file) => readFile(join(folder, file), "utf8"));
      return await Promise.all(written);
    };

    it("is written into the groups of version 1, and read there", async () => {
      const unlimited = {
        "cpu.cfs_quota_us": "-1\n",
        "memory.limit_in_bytes": "9223372036854771712\n",
      };
      assert.deepEqual(await limited(unlimited), ["200000", "2147483648"]);
    });

    it("is written into the group of version 2, and read there", async () => {
      const unlimited = { "cpu.max": "max 100000\n", "memory.max": "max\n" };
      assert.deepEqual(await limited(unlimited), ["200000 100000", "2147483648"]);
    });
  });

  describe("what the guest agent tells", () => {
    it("is what ip tells", () => {
      const eth0 = {
        ...{ ifname: "eth0", address: "bc:24:11:00:00:01", mtu: 1500 },
        addr_info: [{ family: "inet", local: "10.0.20.110", prefixlen: 24, scope: "global" }],
      };
      assert.deepEqual(interfacesIn(JSON.stringify([{ ifname: "lo" }, eth0])), [
        { name: "lo", mac: "", addresses: [] },
        { name: "eth0", mac: "bc:24:11:00:00:01", addresses: ["10.0.20.110/24"] },
      ]);
    });
  });

  describe("the order in which a server leaves with its machine", () => {
    const urn = (part: string): string => `urn:pulumi:lab::triad::some$type::b-${part}`;
    const deleted = (...parts: readonly string[]): string =>
      parts.map((part) => `delete begins: ${urn(part)}\ndelete done: ${urn(part)}`).join("\n");

    it("is right with the machine after the membership, and its seed last", () =>
      assert.deepEqual(wrongInOrder(deleted("membership", "booted", "vm", "seed"), "b"), []));

    it("is wrong with the machine before the membership is gone", () => {
      const output = [
        `delete begins: ${urn("membership")}`,
        deleted("booted", "vm"),
        `delete done: ${urn("membership")}`,
        deleted("seed"),
      ].join("\n");
      assert.deepEqual(wrongInOrder(output, "b"), ["b-booted went before b-membership was gone"]);
    });

    it("is wrong with a part that stays", () =>
      assert.deepEqual(wrongInOrder(deleted("membership", "booted", "seed"), "b"), [
        "b-vm was not deleted",
      ]));
  });

  describe("requests that are listed nowhere", () => {
    it("are told by their names", () =>
      assert.deepEqual(notIn(["GET /a", "GET /b x"], ["GET /a\n", "GET /b\n"]), ["GET /b x"]));
  });
});
