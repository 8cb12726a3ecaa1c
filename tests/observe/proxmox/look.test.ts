import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { observeProxmox } from "../../../observe/proxmox/observeProxmox.ts";
import { lookAtProxmox } from "../../../observe/proxmox/look.ts";
import type { ClusterPlan } from "../../../plan/clusterPlan.ts";
import { makeCertificates } from "../../measure/tlsServer.ts";
import { samplePlan, withVms } from "../../support/samplePlan.ts";
import { rightsWithout } from "./sampleFacts.ts";

const TOKEN = "triad@pve!look=c0ffee00-0000-4000-8000-000000000000";
const GIB = 2 ** 30;

/** As Proxmox writes them: numbers here, texts there, and truths as numbers. */
const answers: Record<string, unknown> = {
  "/cluster/resources": [
    { type: "node", id: "node/pve1", node: "pve1", status: "online", maxmem: 64 * GIB, maxcpu: 16 },
    { type: "node", id: "node/pve2", node: "pve2", status: "offline" },
    { type: "sdn", id: "sdn/pve1/localnetwork", node: "pve1", sdn: "localnetwork", status: "ok" },
    {
      type: "qemu",
      vmid: 9000,
      name: "ubuntu",
      node: "pve1",
      status: "stopped",
      template: 1,
      maxmem: 2 * GIB,
      maxcpu: 2,
    },
    {
      type: "qemu",
      vmid: 101,
      name: "off",
      node: "pve1",
      status: "stopped",
      template: 0,
      maxmem: GIB,
      maxcpu: 1,
    },
    {
      type: "qemu",
      vmid: 205,
      name: "k8s-master-2",
      node: "pve1",
      status: "running",
      maxmem: 8 * GIB,
      maxcpu: 4,
    },
    {
      type: "lxc",
      vmid: 300,
      name: "dns",
      node: "pve1",
      status: "running",
      maxmem: GIB,
      maxcpu: 1,
    },
    {
      type: "storage",
      storage: "local",
      node: "pve1",
      status: "available",
      shared: 0,
      plugintype: "dir",
      content: "iso,import",
      maxdisk: 100 * GIB,
      disk: 40 * GIB,
    },
    {
      type: "storage",
      storage: "local-lvm",
      node: "pve1",
      status: "available",
      plugintype: "lvmthin",
      content: "images",
      maxdisk: 500 * GIB,
      disk: 0,
    },
  ],
  "/access/permissions": Object.fromEntries(
    Object.entries(rightsWithout()).map(([path, rights]) => [
      path,
      Object.fromEntries(Object.keys(rights).map((right) => [right, 1])),
    ]),
  ),
  "/nodes/pve1/qemu/9000/config": {
    scsi0: "local-lvm:base-9000-disk-0,discard=on,size=3584M",
    ide2: "local-lvm:vm-9000-cloudinit,media=cdrom",
    scsi1: "none,media=cdrom",
    net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0",
  },
  "/nodes/pve1/qemu/101/config": { onboot: "1", memory: "1024" },
  "/nodes/pve1/qemu/205/config": { smbios1: "base64=1,serial=azhzLW1hc3Rlci0y,uuid=6a1f" },
  "/nodes/pve1/storage/local/content?content=import": [{ volid: "local:import/noble.qcow2" }],
};

describe("the look at Proxmox", () => {
  let server: Server;
  let folder: string;
  let endpoint: string;
  let asked: string[];
  let refused: { path: string; status: number; reason: string } | undefined;

  before(async () => {
    ({ folder } = makeCertificates("127.0.0.1"));
    const tls = {
      key: readFileSync(join(folder, "server.key")),
      cert: readFileSync(join(folder, "server.crt")),
    };
    server = createServer(tls, (request, response) => {
      const path = (request.url ?? "").replace("/api2/json", "");
      asked.push(`${request.method} ${path}`);
      const isKnown = request.headers.authorization === `PVEAPIToken=${TOKEN}`;
      if (!isKnown) response.writeHead(401, "invalid token value!").end();
      else if (path === refused?.path)
        response.writeHead(refused.status, refused.reason).end('{"data":null}');
      else if (path in answers) response.end(JSON.stringify({ data: answers[path] }));
      else response.writeHead(500, "no such thing").end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address);
    endpoint = `https://127.0.0.1:${address.port}`;
  });
  beforeEach(() => {
    asked = [];
    refused = undefined;
    process.env["SSL_CERT_FILE"] = join(folder, "ca.crt");
  });
  afterEach(() => {
    delete process.env["SSL_CERT_FILE"];
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  function plan(
    vm: Record<string, unknown> = {},
    proxmox: Record<string, unknown> = {},
  ): ClusterPlan {
    const described = withVms({ "k8s-master-2": { vmId: 205, ...vm } }, { endpoint, ...proxmox });
    return samplePlan(["k8s-master", "k8s-master-2"], described);
  }

  it("sees nodes, guests, storages, the template, the image and the token's rights, and only reads", async () => {
    const image = plan({ image: "local:import/noble.qcow2" });
    const facts = await lookAtProxmox(image, { endpoint, insecure: false, token: TOKEN });
    assert.deepEqual(facts.nodes, [
      { name: "pve1", online: true, memoryMiB: 65_536, cpus: 16 },
      { name: "pve2", online: false },
    ]);
    const { guests, storages, images, rights } = facts;
    assert.deepEqual(
      guests.map(({ vmId, kind, isRunning, onBoot, isTemplate, memoryMiB, serial }) =>
        [vmId, kind, isRunning, onBoot, isTemplate, memoryMiB, serial ?? "-"].join(" "),
      ),
      [
        "9000 qemu false false true 2048 -",
        "101 qemu false true false 1024 -",
        "205 qemu true false false 8192 k8s-master-2",
        "300 lxc true false false 1024 -",
      ],
    );
    assert.deepEqual(
      storages.map(({ name, freeGiB, content }) => `${name} ${freeGiB} ${content.join("+")}`),
      ["local 60 iso+import", "local-lvm 500 images"],
    );
    assert.deepEqual(images, ["pve1 local:import/noble.qcow2"]);
    assert.deepEqual(rights, rightsWithout());
    assert.ok(
      asked.every((one) => one.startsWith("GET ")),
      asked.join("\n"),
    );
  });

  it("sees what a clone begins with: disks, and no drive for CDs among them", async () => {
    const { templates } = await lookAtProxmox(plan(), { endpoint, insecure: false, token: TOKEN });
    assert.deepEqual(templates, [{ vmId: 9000, disks: { scsi0: 3.5 }, cloudInitDrives: ["ide2"] }]);
  });

  it("has nothing against a plan that is carried out, and shows the memory", async () => {
    const { faults, warnings, notes, absent } = await observeProxmox(plan(), TOKEN);
    assert.deepEqual({ faults, warnings, absent }, { faults: [], warnings: [], absent: [] });
    assert.match(notes.join(), /pve1\s+64\.0\s+2\.0/);
  });

  it("knows who is not there yet, and refuses an address at which somebody answers", async () => {
    const machines = { "k8s-master-3": { vmId: 206 } };
    const described = withVms(machines, { endpoint });
    const there = samplePlan(["k8s-master-3"], described);
    const [machine] = there.machines.filter(({ name }) => name === "k8s-master-3");
    assert.ok(machine);
    const address = server.address();
    assert.ok(typeof address === "object" && address);
    const local = { ...machine, address: "127.0.0.1", ssh: { user: "ops", port: address.port } };
    const { faults, absent } = await observeProxmox({ ...there, machines: [local] }, TOKEN);
    assert.deepEqual(absent, ["k8s-master-3"]);
    assert.equal(faults.length, 1);
    assert.match(
      faults[0] ?? "",
      /^k8s-master-3: somebody answers at 127\.0\.0\.1 \(port \d+\), and it is not created yet/,
    );
  });

  it("is refused by a wrong token, which it does not tell", async () => {
    const { faults } = await observeProxmox(plan(), "triad@pve!look=hunter2");
    assert.match(faults.join(), /does not know the token; .*triad:proxmoxToken/);
    assert.doesNotMatch(faults.join(), /hunter2/);
  });

  it("says what Proxmox said when it refuses", async () => {
    refused = { path: "/cluster/resources", status: 595, reason: "No route to host" };
    const { faults } = await observeProxmox(plan(), TOKEN);
    assert.match(faults.join(), /answers GET \/cluster\/resources: 595 No route to host/);
  });

  it("trusts nobody it does not know, unless told to", async () => {
    delete process.env["SSL_CERT_FILE"];
    const { faults } = await observeProxmox(plan(), TOKEN);
    assert.match(
      faults.join(),
      /a certificate that is not trusted .*SSL_CERT_FILE, or set proxmox\.insecure/,
    );
    const trusting = await observeProxmox(plan({}, { insecure: true }), TOKEN);
    assert.deepEqual([...trusting.faults, ...trusting.warnings], []);
  });

  it("only warns where nobody answers: what exists may be all that is wanted", async () => {
    const { faults, warnings, absent } = await observeProxmox(
      plan({}, { endpoint: "https://127.0.0.1:1" }),
      TOKEN,
    );
    assert.deepEqual({ faults, absent }, { faults: [], absent: [] });
    assert.match(
      warnings.join(),
      /does not answer \(.*ECONNREFUSED.*\); whether the nodes have room/,
    );
  });

  it("asks nobody without a token, or where nothing is created", async () => {
    await observeProxmox(plan(), undefined);
    await observeProxmox(samplePlan(), TOKEN);
    assert.deepEqual(asked, []);
  });
});
