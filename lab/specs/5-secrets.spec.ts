import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../machines/machine.ts";
import { must } from "../machines/shell.ts";
import { inside } from "../measure/inside.ts";
import { outFolder } from "../measure/pulumi.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { projectFolder, statePaths } from "../paths.ts";
import { samplesFolder } from "../rehearsal.ts";
import { secretsOf } from "./secretsOf.ts";
import { keepLogsOfFailures, topology } from "./support.ts";

/** What begins every private key in a text file. */
const privateKey = "PRIVATE KEY-----";
/** As kubeadm makes them: bootstrap tokens, and the key that encrypts the certificates. As k3s: its tokens. */
const bootstrapToken = /(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/;
const k3sToken = /K10[0-9a-f]{64}::/;
const certificateKey = /certificate-?key[ =:"']+[0-9a-f]{64}/i;

describe("secrets stay secret", function () {
  this.timeout("5m");
  keepLogsOfFailures();
  let secrets: Map<string, string>;

  before(async () => {
    // Not by pulumi(), which would log it.
    const exported = await must(inside(topology, ["pulumi", "stack", "export", "--show-secrets"]), {
      cwd: projectFolder,
      env: await operatorEnvironment(topology),
    });
    const passwords = [...exported.matchAll(/"plaintext": "\\"(\w{16,})\\""/g)];
    assert.ok(passwords.length > 0, "the stack's state has no password");
    secrets = new Map(await secretsOf(topology));
    for (const [what, secret] of secrets) assert.ok(secret.length > 8, `${what} was not found`);
    for (const [index, [, password = ""]] of passwords.entries()) {
      secrets.set(`password ${String(index)} of the state`, password);
    }
  });

  it("in the stack's state and its file", () => {
    const state = join(statePaths.pulumiBackend, ".pulumi");
    const files = filesBelow(state).filter((file) => !file.includes("/locks/"));
    assert.ok(files.length > 0);
    for (const file of [...files, join(projectFolder, `Pulumi.${topology.stack}.yaml`)]) {
      expectNone(file, readFileSync(file, "utf8"));
    }
  });

  it("in what was printed and logged", async () => {
    for (const name of ["adopt.log", "grow.log", "report.json"]) {
      expectNone(name, readFileSync(join(outFolder, name), "utf8"));
    }
    for (const { name } of topology.machines) {
      const { stdout } = await exec(name, ["journalctl", "--no-pager", "--output=cat"]);
      // k3s names the keys that it copies, and an event's name may look like a bootstrap token.
      expectNone(`the journal of ${name}`, stdout.replaceAll(/\/registry\/events\/\S+/g, ""));
    }
  });

  it("in the command lines of processes during the rehearsal", () => {
    const commands = readFileSync(join(samplesFolder, "commands.txt"), "utf8");
    assert.match(commands, /\bsshd\b/, "no process of a machine was seen");
    expectNone("a command line", commands);
  });

  it("behind the modes of files on machines and here", async () => {
    for (const { name } of topology.machines) {
      const places =
        "/etc /var/lib/triad /var/lib/kubelet /root /home /tmp /run/haproxy /run/triad /var/lib/rancher/k3s/server";
      const patterns = [...secrets.values(), privateKey].join("\n");
      const script = `grep -rlsIF -f - ${places} | xargs -r -d '\\n' stat -c '%a %U %n'`;
      const { stdout } = await exec(name, ["sh", "-c", script], { input: patterns });
      const open = stdout.split("\n").filter((line) => /^\d*[1-7] /.test(line));
      assert.deepEqual(open, [], `readable by everybody on ${name}`);
    }
    const backups = filesBelow(join(projectFolder, "backups"));
    assert.ok(backups.length > 0, "there is no backup");
    const open = backups.filter((file) => (statSync(file).mode & 0o077) !== 0);
    assert.deepEqual(open, []);
  });

  function expectNone(where: string, text: string): void {
    for (const [what, secret] of secrets)
      assert.ok(!text.includes(secret), `${what} is in ${where}`);
    assert.ok(!text.includes(privateKey), `a private key is in ${where}`);
    assert.doesNotMatch(text, bootstrapToken, `a bootstrap token is in ${where}`);
    assert.doesNotMatch(text, k3sToken, `a token of k3s is in ${where}`);
    assert.doesNotMatch(text, certificateKey, `a certificate key is in ${where}`);
  }
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
