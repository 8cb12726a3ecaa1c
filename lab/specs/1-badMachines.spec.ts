import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { upBeforeState } from "../lab.ts";
import { exec } from "../machines/machine.ts";
import { pulumi } from "../measure/pulumi.ts";
import { editStack, listServers } from "../measure/serverList.ts";
import { stackFileOf } from "../stackFile.ts";
import {
  expectRefusal,
  keepLogsOfFailures,
  servers,
  shell,
  topology,
  untilSettled,
} from "./support.ts";

interface BadMachine {
  readonly what: string;
  readonly machine: string;
  readonly says: RegExp;
  readonly spoil: () => Promise<unknown>;
  readonly mend?: () => Promise<unknown>;
}

const wrongKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHXT0vC9b0Jm1QPnTNkUNgBvWcL5sXk0Jf4m8h5Zr3uQ";

const [, second = "", third = ""] = servers;

const badMachines: readonly BadMachine[] = [
  {
    what: "with another host key",
    machine: second,
    says: /host key/i,
    spoil: async () => {
      editStack(topology, ["triad:machines", second, "hostKey"], wrongKey);
    },
  },
  {
    what: "without sudo",
    machine: third,
    says: /sudo/,
    spoil: () => shell(third, "mv /etc/sudoers.d /etc/sudoers.d.away"),
    mend: () => shell(third, "mv /etc/sudoers.d.away /etc/sudoers.d"),
  },
  {
    what: "whose port is taken",
    machine: second,
    says: /6443/,
    spoil: () => shell(second, "systemd-run --unit=squatter socat TCP-LISTEN:6443,fork /dev/null"),
    mend: () => shell(second, "systemctl stop squatter"),
  },
  {
    what: "whose disk is too small",
    machine: second,
    says: /disk/i,
    spoil: async () => editStack(topology, ["triad:preflight"], { diskGiB: 1_000_000 }),
  },
];

describe("bad machines are refused before anything is changed", function () {
  this.timeout("10m");
  keepLogsOfFailures();
  let good: string;

  before(async () => {
    await upBeforeState(topology);
    await untilSettled();
    listServers(topology, servers);
    good = readFileSync(stackFileOf(topology), "utf8");
  });

  for (const { what, machine, says, spoil, mend } of badMachines) {
    it(`one ${what}`, async () => {
      await spoil();
      try {
        await expectRefusal(new RegExp(`\\b${machine}\\b`), says);
      } finally {
        await mend?.();
        writeFileSync(stackFileOf(topology), good);
      }
    });
  }

  it("and leave no trace in the stack or on a machine", async () => {
    const { output } = await pulumi(topology, "export", ["stack", "export"]);
    assert.doesNotMatch(output, /command:(remote|local):/);
    for (const { name } of topology.machines) {
      const { exitCode } = await exec(name, ["test", "-e", "/var/lib/triad"]);
      assert.notEqual(exitCode, 0, `${name} has /var/lib/triad`);
    }
  });
});
