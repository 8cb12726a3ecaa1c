import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { journaled, randoms, remote } from "./support/declarations.ts";
import type { Values } from "./support/declarations.ts";
import type { Declaration, Run } from "./support/project.ts";
import { Project } from "./support/project.ts";
import type { SshServer } from "./support/sshServer.ts";
import { foreignHostKey, startSshServer } from "./support/sshServer.ts";

// The engine takes seconds a run, so each run serves several sentences.
describe("the command and random plugins, driven by the engine", function () {
  this.timeout(180_000);
  let project: Project;
  let server: SshServer;
  let connection: Values;

  before(async () => {
    server = await startSshServer();
    connection = {
      host: "127.0.0.1",
      port: server.port,
      user: "ops",
      privateKey: server.privateKey,
      hostKey: server.hostKey,
    };
    project = await Project.create();
    await mkdir(join(project.folder, "source/deep"), { recursive: true });
    await writeFile(join(project.folder, "source/deep/file"), "in a directory");
  });
  after(async () => {
    server.close();
    await project.remove();
  });

  const secretive: Declaration = {
    type: "local",
    name: "secretive",
    args: {
      stdin: { secret: "hidden-stdin" },
      environment: { WORD: { secret: "hidden-word" } },
      create: "echo told $(wc -c) ${#WORD}; echo line-shown-while-running",
    },
  };

  const first = (): readonly Declaration[] => {
    const target = join(project.folder, "target");
    const folder = { source: { file: join(project.folder, "source") }, remotePath: target };
    const text = { source: { asset: "a text" }, remotePath: join(target, "text") };
    return [
      journaled("kept"),
      journaled("traded", { triggers: ["1"] }),
      secretive,
      remote("machine", connection, { environment: { WORD: "w" } }),
      remote("declined", connection),
      { type: "copy", name: "folder", args: { connection, ...folder } },
      { type: "copy", name: "copied", args: { connection, ...text } },
      ...randoms("first-keeper"),
    ];
  };

  const second = (): readonly Declaration[] => [
    journaled("kept", { stdin: "b", delete: "echo kept delete anew >> journal" }),
    journaled("traded", { triggers: ["2"] }),
    secretive,
    remote("machine", { ...connection, perDialTimeout: 5 }, { environment: { WORD: "w" } }),
    remote("declined", connection, { stdin: "anew\n", addPreviousOutputInEnv: false }),
    ...randoms("second-keeper"),
  ];

  it("runs nothing in a preview", async () => {
    const run = await project.preview(first());
    assert.ok(run.ok, run.output);
    assert.deepEqual(await project.newLines("journal"), []);
    assert.equal(server.dials(), 0);
  });

  describe("at the first up", () => {
    let run: Run;

    before(async () => {
      run = await project.up(first());
      assert.ok(run.ok, run.output);
    });

    it("takes the plugins from its home, with nothing to remark", () => {
      assert.doesNotMatch(run.output, /warning/);
    });

    it("runs create, keeps both streams less a newline, and shows lines while it runs", async () => {
      const entries = [...(await project.newLines("journal"))].sort();
      assert.deepEqual(entries, ["kept create a []", "traded create a []"]);
      const { stdout, stderr } = await project.remembered("kept");
      assert.deepEqual([stdout, stderr], ["kept create a []", "loud"]);
      assert.match(run.output, /line-shown-while-running/);
    });

    it("runs create on a machine, with stdin and environment", async () => {
      const { stdout, stderr } = await project.remembered("machine");
      assert.deepEqual([stdout, stderr], ["in\ncreated w", "aside"]);
    });

    it("copies texts and directories to a machine", async () => {
      const read = (file: string): Promise<string> =>
        readFile(join(project.folder, "target", file), "utf8");
      assert.equal(await read("text"), "a text");
      assert.equal(await read("source/deep/file"), "in a directory");
    });

    it("keeps secret inputs out of the state's plain text, the connection as a whole", async () => {
      const state = await project.state();
      assert.doesNotMatch(state, /hidden-|PRIVATE KEY|127\.0\.0\.1/);
    });

    it("does not hide what a command with secret inputs prints", async () => {
      const { stdout } = await project.remembered("secretive");
      assert.equal(stdout, "told 12 11\nline-shown-while-running");
    });

    it("makes random values of the asked kind, secret where they should be", async () => {
      const { "password-result": password, "bytes-hex": bytes, ...open } = await project.outputs();
      assert.match(String(password), /^(?=(.*\d){5})[A-Za-z0-9]{24}$/);
      assert.match(String(bytes), /^[0-9a-f]{32}$/);
      assert.match(String(open["text-result"]), /^[a-z]{12}$/);
      assert.match(String(open["id-hex"]), /^triad-[0-9a-f]{8}$/);
      const state = await project.state();
      for (const secret of [String(password), String(bytes)]) assert.ok(!state.includes(secret));
    });
  });

  describe("at an up with changed inputs", () => {
    let text: unknown;
    let id: unknown;

    before(async () => {
      text = (await project.remembered("text"))["result"];
      id = (await project.remembered("id"))["hex"];
      const run = await project.up(second());
      assert.ok(run.ok, run.output);
    });

    it("updates on a changed stdin or delete, with the output of the time before", async () => {
      const { stdout } = await project.remembered("kept");
      assert.equal(stdout, "kept update b [kept create a []]");
    });

    it("replaces on a changed trigger: creates the new one first, then runs the old delete", async () => {
      const entries = await project.newLines("journal");
      assert.deepEqual(
        entries.filter((entry) => entry.startsWith("traded")),
        ["traded create a []", "traded delete a [traded create a []]"],
      );
    });

    it("updates on a changed connection, and withholds the output before where asked to", async () => {
      const { stdout: machine } = await project.remembered("machine");
      assert.equal(machine, "in\nupdated [in\ncreated w]");
      const { stdout: declined } = await project.remembered("declined");
      assert.equal(declined, "anew\nupdated []");
    });

    it("makes another random value for another keeper, and no other", async () => {
      assert.notEqual((await project.remembered("text"))["result"], text);
      assert.equal((await project.remembered("id"))["hex"], id);
      assert.doesNotMatch(await project.state(), /"ciphertext":\s*""/);
    });
  });

  describe("at an up that fails", () => {
    let run: Run;
    let dials: number;

    before(async () => {
      const before = server.dials();
      const stranger = { ...connection, hostKey: foreignHostKey(), dialErrorLimit: 2 };
      run = await project.up([
        ...second().filter(({ name }) => name !== "kept"),
        journaled("kept", { update: "echo to-out; echo to-err >&2; exit 7" }),
        remote("stranger", stranger),
        remote("silent", { ...connection, port: 1, dialErrorLimit: 1 }),
        remote("failing", connection, { create: "echo said; exit 3" }),
        {
          type: "local",
          name: "slow",
          args: { create: "exec sleep 60" },
          options: { customTimeouts: { create: "1s" } },
        },
      ]);
      dials = server.dials() - before;
      assert.equal(run.ok, false, run.output);
    });

    it("tells the command and both streams, and remembers what was before", async () => {
      assert.match(run.output, /exit status 7: running "echo to-out; echo to-err >&2; exit 7":/);
      assert.match(run.output, /to-out\s+to-err/);
      assert.match(run.output, /Process exited with status 3: running "echo said; exit 3":\s+said/);
      const { stdout } = await project.remembered("kept");
      assert.equal(stdout, "kept update b [kept create a []]");
    });

    it("refuses another host key, and gives up after the limit of failed dials", () => {
      assert.match(run.output, /after 2 failed attempts: .*host key mismatch/);
      assert.match(run.output, /after 1 failed attempts: .*ECONNREFUSED/);
      assert.equal(dials, 4, "three by the stranger, one by the failing command");
    });

    it("ends a command that outlives its customTimeouts", () => {
      assert.match(run.output, /signal: SIGKILL: running "exec sleep 60"/);
    });
  });

  describe("at destroy", () => {
    it("deletes by what the state remembers", async () => {
      await project.newLines("journal");
      const run = await project.pulumi("destroy", "--yes", "--skip-preview");
      assert.ok(run.ok, run.output);
      const entries = [...(await project.newLines("journal"))].sort();
      assert.deepEqual(entries, ["kept delete anew", "traded delete a [traded create a []]"]);
    });
  });
});
