import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { connect, SshError, type SshTarget } from "../../ssh/connection.ts";
import { newKey } from "../support/newKey.ts";

const { Server, utils } = ssh2;

describe("a connection to a machine", () => {
  const folder = mkdtempSync(join(tmpdir(), "triad-ssh-"));
  const privateKeyFile = join(folder, "key");
  const { private: privateKey, public: publicKey } = newKey();
  writeFileSync(privateKeyFile, privateKey, { mode: 0o600 });
  after(() => rmSync(folder, { recursive: true }));

  function targetAt(port: number): SshTarget {
    const ssh = { user: "ops", port };
    return { name: "hp", address: "127.0.0.1", hostKey: publicKey, ssh };
  }

  function portOf(address: AddressInfo | string | null): number {
    assert.ok(address !== null && typeof address === "object");
    return address.port;
  }

  async function kindOfFailure(port: number): Promise<string> {
    const identity = { privateKeyFile, agent: false };
    const error = await connect(targetAt(port), identity, 500).catch((seen: unknown) => seen);
    assert.ok(error instanceof SshError);
    return error.kind;
  }

  it("that says nothing is one to a machine that does not answer, whatever its keys", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    try {
      assert.equal(await kindOfFailure(portOf(silent.address())), "unreachable");
    } finally {
      silent.close();
    }
  });

  it("is refused where the machine has no host key of the pinned type", async () => {
    const hostKeys = [utils.generateKeyPairSync("ecdsa", { bits: 256 }).private];
    const other = new Server({ hostKeys }, (client) => client.on("error", () => undefined));
    await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
    try {
      assert.equal(await kindOfFailure(portOf(other.address())), "host-key");
    } finally {
      other.close();
    }
  });
});
