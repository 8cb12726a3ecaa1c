import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringSnapshot } from "../../../acts/recovery/snapshotFile.ts";
import type { CommandResult, SshConnection } from "../../../ssh/connection.ts";
import { machineOf } from "../k3s/doubles.ts";

describe("a snapshot for a recovery", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "triad-snapshot-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function connectionTo(user: string, result: Partial<CommandResult> = {}) {
    const ran: { readonly command: string; readonly input: string | undefined }[] = [];
    const connection: SshConnection = {
      target: { ...machineOf("shuttle", "192.168.1.6"), ssh: { user, port: 22 } },
      run: async (command, input) => {
        ran.push({ command, input });
        return { exitCode: 0, stdout: "", stderr: "", ...result };
      },
      download: () => Promise.reject(new Error("nothing is downloaded")),
      close: () => undefined,
    };
    return { connection, ran };
  }

  it("goes byte by byte from this computer to the server, readable by root alone", async () => {
    const file = join(folder, "snapshot");
    const content = Buffer.from([0, 255, 10, 39, 128]);
    writeFileSync(file, content);
    const { connection, ran } = connectionTo("ops");
    const path = await bringSnapshot(connection, file, () => undefined);
    assert.equal(path, "/var/lib/triad/recovery/brought");
    assert.match(ran[0]?.command ?? "", /^sudo -n sh -c 'umask 077; /);
    assert.deepEqual(Buffer.from(ran[0]?.input ?? "", "base64"), content);
  });

  it("that lies on the server stays there", async () => {
    const { connection, ran } = connectionTo("root");
    const path = "/var/lib/triad/snapshots/no-such-file-here";
    assert.equal(await bringSnapshot(connection, path, () => undefined), path);
    assert.deepEqual(ran, []);
  });

  it("that is nowhere is named", async () => {
    const { connection } = connectionTo("root");
    const bring = bringSnapshot(connection, "backups/none", () => undefined);
    await assert.rejects(bring, /there is no backups\/none on this computer/);
  });

  it("that does not arrive is told with the reason", async () => {
    const file = join(folder, "snapshot");
    writeFileSync(file, "x");
    const { connection } = connectionTo("root", { exitCode: 1, stderr: "No space left\n" });
    const bring = bringSnapshot(connection, file, () => undefined);
    await assert.rejects(bring, /did not arrive on shuttle: No space left/);
  });
});
