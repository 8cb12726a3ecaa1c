import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Standing } from "../../acts/rollback/request.ts";
import { tokenOf } from "../../tools/rollback/tokenOf.ts";
import { nextSteps, whatIsLost } from "../../tools/rollback/words.ts";

const peers: Standing = { kind: "peers", others: "thinkpad voter, hp voter" };
const alone: Standing = { kind: "alone" };

describe("the token of a rollback", function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "triad-token-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** An environment in which `pulumi` is this script. */
  function pulumi(script: string): NodeJS.ProcessEnv {
    const file = join(folder, "pulumi");
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return { PATH: `${folder}:/usr/bin:/bin` };
  }

  it("is the environment's, and nobody else is asked", async () => {
    const environment = { ...pulumi("exit 1"), PROXMOX_VE_API_TOKEN: "root@pam!a=b" };
    assert.equal(await tokenOf("home", environment), "root@pam!a=b");
  });

  it("is that of the stack's config otherwise", async () => {
    const environment = pulumi('echo "told: $*"');
    assert.match(
      await tokenOf("home", environment),
      /^told: config get triad:proxmoxToken --stack home /,
    );
  });

  it("that nobody has is told with what the engine said, and both ways to give it", async () => {
    const environment = pulumi("echo 'error: incorrect passphrase' >&2; exit 255");
    await assert.rejects(
      tokenOf("home", environment),
      /incorrect passphrase[^]*PULUMI_CONFIG_PASSPHRASE[^]*PROXMOX_VE_API_TOKEN/,
    );
    await assert.rejects(tokenOf("home", pulumi("exit 0")), /proxmoxToken: empty/);
  });
});

describe("what a person is told of a rollback", () => {
  const at = Date.UTC(2026, 0, 1, 20) / 1_000;
  const checkpoint = { name: "triad-1", description: "", at, isWhole: true, servers: 1 };
  const now = new Date("2026-01-02T02:30:00Z");
  const lost = (standing: Standing): string =>
    whatIsLost("hp", "homelab", { guest: "hp (VM 205 on pve1)", checkpoint, standing }, now);

  it("is how old the checkpoint is, and whether the cluster's data go back too", () => {
    assert.match(lost(peers), /^hp \(VM 205 on pve1\) goes back to triad-1, .*, 6\.5 hours ago/);
    assert.match(lost(peers), /go on \(thinkpad voter, hp voter\)/);
    assert.doesNotMatch(lost(peers), /ALL of homelab/);
    assert.match(lost(alone), /ALL of homelab goes back/);
  });

  it("is in the end what to write into the stack's file, as the config takes it", () => {
    for (const standing of [peers, alone]) {
      assert.match(
        nextSteps("homelab", "hp", { checkpoint, standing }),
        /triad:machines\.hp\.rolledBack: triad-1\n +2\. pulumi up --refresh$/,
      );
    }
  });
});
