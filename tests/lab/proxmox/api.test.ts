import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { ask } from "./support/client.ts";
import { type Double, startDouble } from "./support/double.ts";

describe("the API of the double of Proxmox", () => {
  let double: Double;
  const reader = "reader@pve!look=5e0d6ae6-6e0b-4b7d-9d3e-3f4d5d1d2c11";

  before(async () => {
    double = await startDouble({
      pools: ["kubernetes"],
      tokens: [
        {
          id: "reader@pve!look",
          secret: reader.split("=")[1] ?? "",
          privileges: { "/": ["VM.Audit"], "/vms/9000": [] },
        },
      ],
    });
  });
  after(() => double.close());

  it("speaks TLS 1.3 and nothing older", async () => {
    const port = Number(new URL(double.url).port);
    const ca = readFileSync(double.authority);
    const spoken = (maxVersion: "TLSv1.2" | "TLSv1.3") =>
      new Promise<string>((resolve) => {
        const socket = connect({ port, host: "127.0.0.1", ca, maxVersion }, () => {
          resolve(socket.getProtocol() ?? "");
          socket.end();
        });
        socket.on("error", (error: Error & { code?: string }) => resolve(error.code ?? ""));
      });
    assert.equal(await spoken("TLSv1.3"), "TLSv1.3");
    assert.equal(await spoken("TLSv1.2"), "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  });

  it("answers in an envelope, with the type that clients of Proxmox compare", async () => {
    const { status, type, body } = await ask(double, "GET", "/version", {}, reader);
    assert.deepEqual([status, type], [200, "application/json;charset=UTF-8"]);
    assert.equal(body.data.version, "9.0.3");
  });

  it("refuses who has no token, an unknown one, or a wrong secret", async () => {
    for (const [token, reason] of [
      ["nonsense", "No ticket"],
      ["nobody@pve!x=1", "no such token 'nobody@pve!x'"],
      ["reader@pve!look=wrong", "invalid token value!"],
    ] as const) {
      const answer = await ask(double, "GET", "/version", {}, token);
      assert.deepEqual([answer.status, answer.reason], [401, reason]);
      assert.deepEqual(answer.body, { data: null, message: `${reason}\n` });
    }
  });

  it("names the privilege that a token lacks, and where", async () => {
    const path = "/nodes/pve1/qemu/9000";
    const { status, reason } = await ask(double, "GET", `${path}/config`, {}, reader);
    assert.deepEqual([status, reason], [403, "Permission check failed (/vms/9000, VM.Audit)"]);
    const clone = await ask(double, "POST", `${path}/clone`, { newid: "100" }, reader);
    assert.equal(clone.reason, "Permission check failed (/vms/9000, VM.Clone)");
    const rollback = await ask(double, "POST", `${path}/snapshot/a/rollback`, {}, reader);
    assert.equal(
      rollback.reason,
      "Permission check failed (/vms/9000, VM.Snapshot|VM.Snapshot.Rollback)",
    );
  });

  it("leaves out of lists what a token may not see", async () => {
    const resources = await ask(double, "GET", "/cluster/resources?type=vm", {}, reader);
    assert.deepEqual(resources.body.data, []);
    assert.deepEqual((await ask(double, "GET", "/pools", {}, reader)).body.data, []);
  });

  it("tells a token what it may", async () => {
    const { data } = (await ask(double, "GET", "/access/permissions", {}, reader)).body;
    assert.deepEqual([data["/"], data["/vms"]], [{ "VM.Audit": 1 }, { "VM.Audit": 1 }]);
    assert.deepEqual(data["/vms/9000"], {});
  });

  it("names parameters that are wrong or unknown", async () => {
    const clone = { newid: "5", size: "1" };
    const answer = await ask(double, "POST", "/nodes/pve1/qemu/9000/clone", clone, reader);
    assert.deepEqual([answer.status, answer.reason], [400, "Parameter verification failed."]);
    assert.deepEqual(Object.keys(answer.body.errors).sort(), ["newid", "size"]);
    assert.match(answer.body.errors.size, /does not allow additional properties/);
  });

  it("says of a path that it doesn't know that it is not implemented, and records it", async () => {
    const answer = await ask(double, "POST", "/nodes/pve1/qemu/9000/template", {}, reader);
    assert.equal(answer.status, 501);
    const path = "/nodes/pve1/qemu/9000/template";
    assert.deepEqual(double.requests.at(-1), { method: "POST", path, keys: [], status: 501 });
  });

  it("says of a VM that is not there that it does not exist", async () => {
    const { status, reason } = await ask(double, "GET", "/nodes/pve2/qemu/100/config", {}, reader);
    assert.equal(status, 500);
    assert.match(reason, /^Configuration file 'nodes\/pve2\/.*\/100\.conf' does not exist$/);
  });
});

describe("nodes of the double of Proxmox", () => {
  it("count what others run, and their storages what lies there", async () => {
    const gibibyte = 1024 ** 3;
    const guest = { node: "pve1", memoryBytes: 8 * gibibyte, cpus: 4, onBoot: true };
    const double = await startDouble({
      guests: [
        { ...guest, id: 200, kind: "qemu", name: "other", running: true },
        { ...guest, id: 201, kind: "lxc", name: "dns", running: true },
        { ...guest, id: 202, kind: "qemu", name: "off", running: false },
      ],
    });
    try {
      const get = async (path: string) => (await ask(double, "GET", path)).body.data;
      const { memory, cpuinfo } = await get("/nodes/pve1/status");
      assert.deepEqual(memory.used, 16 * gibibyte);
      assert.deepEqual([memory.total, cpuinfo.cpus], [64 * gibibyte, 16]);
      const rows = await get("/cluster/resources?type=vm");
      assert.deepEqual(
        rows.map(({ id, status }: { id: string; status: string }) => `${id} ${status}`),
        ["qemu/9000 stopped", "qemu/200 running", "qemu/202 stopped", "lxc/201 running"],
      );
      assert.equal((await get("/nodes/pve1/lxc/201/config")).memory, 8192);
      assert.equal((await get("/nodes/pve1/qemu/202/config")).onboot, 1);
      const { used, avail, total } = await get("/nodes/pve1/storage/local-lvm/status");
      assert.deepEqual([used, total - avail], [(2252 + 4) * 1024 ** 2, used]);
      double.fault({ kind: "storage-full", storage: "local-lvm" });
      assert.equal((await get("/nodes/pve1/storage/local-lvm/status")).avail, 0);
    } finally {
      await double.close();
    }
  });
});
