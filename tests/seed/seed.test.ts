import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { parse } from "yaml";
import { type FirstBoot, seedOf } from "../../seed/cloudInit.ts";
import { hostKeyOf } from "../../seed/hostKey.ts";
import { filesOfIso, isoImage } from "../../seed/iso.ts";
import { writeSeed } from "../../seed/writeSeed.ts";
import { sampleHostKey } from "../support/samplePlan.ts";

const boot: FirstBoot = {
  nodeName: "master.homelab.example",
  address: "10.0.20.110",
  network: { prefixLength: 24, gateway: "10.0.20.1", nameservers: ["10.0.20.53", "9.9.9.9"] },
  vmId: 205,
  user: "ops",
  authorizedKeys: [sampleHostKey],
  packages: [],
  hostKey: hostKeyOf("0123456789abcdef0123456789abcdef", { cluster: "homelab", machine: "m" }),
};

describe("what cloud-init is told", () => {
  const user = (changes: Partial<FirstBoot> = {}): Record<string, unknown> =>
    parse(seedOf({ ...boot, ...changes })["user-data"]);

  it("begins with the line without which it is no configuration", () => {
    assert.ok(seedOf(boot)["user-data"].startsWith("#cloud-config\n"));
  });

  it("is the host key that is pinned, and no other", () => {
    assert.deepEqual(user()["ssh_keys"], {
      ed25519_private: boot.hostKey.private,
      ed25519_public: boot.hostKey.public,
    });
    // An empty list of types is against cloud-init's schema, and none is made where keys are given.
    assert.equal("ssh_genkeytypes" in user(), false);
    assert.equal(user()["ssh_deletekeys"], true);
  });

  it("lets in by key alone, and lets sudo ask nothing", () => {
    assert.equal(user()["ssh_pwauth"], false);
    assert.deepEqual(user()["users"], [
      {
        name: "ops",
        shell: "/bin/bash",
        lock_passwd: true,
        sudo: "ALL=(ALL) NOPASSWD:ALL",
        ssh_authorized_keys: [sampleHostKey],
      },
    ]);
    assert.equal(user({ user: "root" })["disable_root"], false);
  });

  it("installs packages only where some are named", () => {
    assert.equal("packages" in user(), false);
    const some = user({ packages: ["qemu-guest-agent"] });
    assert.deepEqual(some["packages"], ["qemu-guest-agent"]);
    assert.equal(some["package_update"], true);
  });

  it("gives the address to the one network device, whatever its name", () => {
    assert.deepEqual(parse(seedOf(boot)["network-config"]), {
      version: 2,
      ethernets: {
        eth0: {
          match: { name: "e*" },
          addresses: ["10.0.20.110/24"],
          routes: [{ to: "0.0.0.0/0", via: "10.0.20.1" }],
          nameservers: { addresses: ["10.0.20.53", "9.9.9.9"] },
        },
      },
    });
  });

  it("is another instance than the template", () => {
    assert.deepEqual(parse(seedOf(boot)["meta-data"]), {
      "instance-id": "triad-205-master.homelab.example",
      "local-hostname": "master.homelab.example",
    });
  });
});

describe("an image for cloud-init", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "triad-seed-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("is what the system takes for ISO 9660, with the label that cloud-init looks for", () => {
    const file = join(folder, "seed.iso");
    writeFileSync(file, isoImage("cidata", { ...seedOf(boot) }));
    const said = execFileSync("blkid", ["--probe", "--output", "export", file], {
      encoding: "utf8",
    });
    assert.match(said, /^TYPE=iso9660$/m);
    assert.match(said, /^LABEL=cidata$/m);
  });

  it("has what was put into it, whatever it is", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/);
    const files = fc.dictionary(name, fc.string({ unit: "binary", maxLength: 5_000 }), {
      maxKeys: 6,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(files, (wanted) => {
        assert.deepEqual(filesOfIso(isoImage("cidata", wanted)), wanted);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a name that would be another one inside", () => {
    for (const name of ["User-Data", "a.b", "", "x".repeat(31)]) {
      assert.throws(() => isoImage("cidata", { [name]: "" }), RangeError);
    }
    assert.throws(() => filesOfIso(Buffer.alloc(60_000)), RangeError);
  });

  it("is for its owner's eyes, also where another file was", () => {
    const file = join(folder, "deep/seed.iso");
    writeSeed(file, seedOf(boot));
    chmodSync(file, 0o644);
    assert.equal(writeSeed(file, seedOf(boot)), file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, "deep")).mode & 0o777, 0o700);
    assert.deepEqual(filesOfIso(readFileSync(file)), { ...seedOf(boot) });
  });
});
