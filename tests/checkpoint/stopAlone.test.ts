import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LiveCluster } from "../../acts/liveCluster.ts";
import { backUpAndStop } from "../../acts/rollback/stopAlone.ts";
import { clusterOf, ConnectionDouble, machineOf } from "../acts/k3s/doubles.ts";
import { type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";

const machine = machineOf("k8s-master-2", "127.0.0.1");

describe("the only server, before its disk goes back", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  let directory: string;
  beforeEach(async () => {
    proxmox = await startOnProxmox();
    directory = mkdtempSync(join(tmpdir(), "triad-backup-"));
  });
  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await proxmox.close();
  });

  /** @param arrives what comes over the wire of the archive that is there */
  async function stop(arrives: string): Promise<void> {
    const sha256 = createHash("sha256").update("archive").digest("hex");
    const connection = new ConnectionDouble(machine, [
      ["Runs one disruptive", "settle", {}],
      ["LABEL=", "ensure", { path: "/var/lib/triad/backups/a.tar.gz", sha256 }],
    ]);
    connection.download = async (_command?: string, file = "") => writeFileSync(file, arrives);
    const plain = clusterOf({ connection });
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest is not used
    const distribution = { name: "kubeadm" } as LiveCluster["distribution"];
    const request = { clusterName: "homelab", directory };
    await backUpAndStop({ ...plain, distribution }, request, proxmox.guest, () => undefined);
  }

  it("is stopped once a backup of now lies on the operator's computer", async () => {
    await stop("archive");
    assert.equal(proxmox.isRunning(), false);
    const [file = "", ...more] = readdirSync(directory);
    assert.deepEqual(more, []);
    assert.match(file, /^homelab-.*\.tar\.gz$/);
    assert.equal(readFileSync(join(directory, file), "utf8"), "archive");
  });

  it("runs on where the backup did not arrive whole", async () => {
    await assert.rejects(stop("arch"), /did not arrive whole/);
    assert.ok(proxmox.isRunning());
  });
});
