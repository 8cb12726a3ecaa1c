import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { config, ConversionBench } from "./support/conversionBench.ts";
import { deletedSince, leftOut } from "./support/conversionDouble.ts";

const conversion = "var/lib/triad/conversion";
const configFile = "etc/rancher/k3s/config.yaml.d/50-triad.yaml";
const dropins = "etc/systemd/system/k3s.service.d";
const db = "var/lib/rancher/k3s/server/db";

describe("scripts/k3s-convert.sh", function () {
  this.timeout(120_000);
  let bench: ConversionBench;
  beforeEach(() => {
    bench = new ConversionBench();
    bench.fill();
  });
  afterEach(() => {
    bench.root.remove();
  });

  it("converts, compares every value, and leaves nothing but a phase, the cold copy and the configuration", async () => {
    const result = await bench.succeed("ensure");
    assert.deepEqual(result, {
      phase: "copied",
      datastore: "etcd",
      active: true,
      staleEtcd: false,
      convertedAt: Number(bench.root.read(`${conversion}/converted-at`)),
      coldCopy: bench.root.at(`${conversion}/cold`),
      changed: true,
    });
    assert.deepEqual(bench.served(), ["etcd"]);
    assert.equal(bench.root.read(configFile), config);
    assert.equal(statSync(bench.root.at(configFile)).mode & 0o777, 0o600);
    assert.equal(bench.has(`${dropins}/60-triad-conversion.conf`), false);
    assert.equal(bench.has("usr/local/lib/triad/k3s-conversion-guard"), false);
    assert.equal(bench.has("run/systemd/system/k3s.service.d/61-triad-conversion.conf"), false);
    assert.match(bench.root.read(`${dropins}/50-triad.conf`), /ExecStart=\nExecStart=.*k3s server/);
    assert.equal(bench.has(`${conversion}/work`), false);
    for (const path of ["", "/cold"]) {
      assert.equal(statSync(bench.root.at(`${conversion}${path}`)).mode & 0o077, 0, path);
    }
    // The log of SQLite belongs to the copy: k3s renames state.db alone.
    assert.ok(bench.has(`${conversion}/cold/state.db`));
  });

  it("does nothing when it was done before", async () => {
    await bench.succeed("ensure");
    await bench.succeed("finish");
    const { phase } = Object(await bench.succeed("ensure"));
    assert.equal(phase, "done");
    assert.equal(bench.restarts().length, 2);
  });

  describe("refuses before it touches anything:", () => {
    const traps: [string, (bench: ConversionBench) => void, RegExp][] = [
      [
        "a k3s that does not run",
        ({ root }) => root.write("unit", "failed\n"),
        /k3s.service is not active/,
      ],
      [
        "an etcd folder beside SQLite, from which k3s would start instead",
        ({ root }) => mkdirSync(root.at(`${db}/etcd/member/wal`), { recursive: true }),
        /db\/etcd lies beside the SQLite[^]*mv \S*db\/etcd \/root\/stale-etcd/,
      ],
      [
        "a datastore-endpoint in k3s's configuration, without telling its password",
        ({ root }) =>
          root.write(
            "etc/rancher/k3s/config.yaml",
            "datastore-endpoint: postgres://k3s:hunter2@db\n",
          ),
        /datastore-endpoint/,
      ],
      [
        "a datastore-endpoint in the unit's environment",
        ({ root }) =>
          root.write("etc/systemd/system/k3s.service.env", "K3S_DATASTORE_ENDPOINT='mysql://x'\n"),
        /datastore-endpoint/,
      ],
      ["a disk that is nearly full", ({ root }) => root.write("free-kib", "1000\n"), /MiB free/],
      [
        "a server without SQLite",
        ({ root }) => execFileSync("rm", [root.at(`${db}/state.db`)]),
        /no SQLite datastore/,
      ],
    ];
    for (const [name, arrange, complaint] of traps) {
      it(name, async () => {
        arrange(bench);
        const { exitCode, stderr } = await bench.script("ensure");
        assert.equal(exitCode, 1);
        assert.match(stderr, complaint);
        assert.doesNotMatch(stderr, /hunter2/);
        assert.deepEqual(
          bench.root.calls("systemctl").filter((call) => !call.startsWith("is-active")),
          [],
        );
        assert.equal(bench.phase(), "none");
        assert.equal(bench.has(configFile), false);
      });
    }

    it("a systemd that does not take the guard: a later drop-in may undo it", async () => {
      bench.root.write(`${dropins}/70-own.conf`, "[Service]\nRestart=always\n");
      const { exitCode, stderr } = await bench.script("ensure");
      assert.equal(exitCode, 1);
      assert.match(stderr, /systemd did not take the guard/);
      assert.ok(!bench.root.calls("systemctl").includes("stop k3s.service"));
    });
  });

  describe("goes back to SQLite by itself", () => {
    async function goesBack(complaint: RegExp, variables = {}): Promise<string> {
      const before = bench.root.read(`${db}/state.db`);
      const { exitCode, stderr } = await bench.script("ensure", variables);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, complaint);
      assert.deepEqual(bench.served().at(-1), "sqlite", stderr);
      assert.deepEqual(bench.datastore(), ["state.db"]);
      assert.equal(bench.root.read(`${db}/state.db`), before);
      assert.equal(bench.phase(), "none");
      for (const file of [configFile, `${dropins}/50-triad.conf`]) {
        assert.equal(bench.has(file), false, file);
      }
      assert.equal(bench.has(`${dropins}/60-triad-conversion.conf`), false);
      return stderr;
    }

    it("when k3s ends in the middle of the copy, and says what k3s said without its secrets", async () => {
      bench.root.write("fails-at-copy", "");
      bench.root.write(
        "journal",
        `level=info msg="Migrating etcd key /registry/x"\nlevel=fatal msg="no space: token=hunter2 K10${"a".repeat(64)}::server:hunter2"\n`,
      );
      const said = await goesBack(/k3s ended while it copied/);
      assert.match(said, /k3s: level=fatal msg="no space/);
      assert.doesNotMatch(said, /hunter2|aaaa/);
    });

    it("when the copy takes too long", async () => {
      bench.root.write("hangs-at-copy", "");
      await goesBack(/did not copy SQLite to etcd within 1 s/, { COPY_LIMIT: "1" });
    });

    it("when a value was changed on the way, naming the key and not the value", async () => {
      bench.tamper("/registry/secrets/default/s", { value: "other" });
      const said = await goesBack(/1 of 4 keys differ.*changed \/registry\/secrets\/default\/s/);
      assert.doesNotMatch(said, /other|hunter2/);
      assert.match(said, /failed-/);
    });

    it("when a key was left out", async () => {
      bench.tamper("/registry/configmaps/default/one", { version: leftOut });
      await goesBack(/missing \/registry\/configmaps\/default\/one/);
    });

    it("when a key that was deleted comes back", async () => {
      bench.tamper("/registry/configmaps/default/gone", { value: "x", created: 3 });
      await goesBack(/invented \/registry\/configmaps\/default\/gone/);
    });

    it("when k3s does not copy a key that is not below /registry/", async () => {
      bench.put({ "/elsewhere/key": "x" });
      await goesBack(/missing \/elsewhere\/key/);
    });

    it("with the configuration that Triad wrote earlier, to the letter", async () => {
      bench.root.write(configFile, "tls-san: [old]\n");
      bench.root.write("fails-at-copy", "");
      const { exitCode } = await bench.script("ensure");
      assert.equal(exitCode, 1);
      assert.equal(bench.root.read(configFile), "tls-san: [old]\n");
    });
  });

  describe("where the API serves before the comparison", () => {
    beforeEach(() => bench.root.write("serves-at-once", ""));
    const one = "/registry/configmaps/default/one";

    const writes: [string, string, { value?: string; version?: number; created?: number }][] = [
      ["updated", one, { value: "updated", version: 2 }],
      ["deleted", one, { version: deletedSince }],
      ["deleted and made again", one, { value: "again", version: 1, created: 90 }],
      ["created", "/registry/configmaps/default/new", { value: "new", created: 90 }],
    ];
    for (const [what, key, entry] of writes) {
      it(`a key that was ${what} meanwhile is no difference`, async () => {
        bench.tamper(key, entry);
        const { exitCode, stderr } = await bench.script("ensure");
        assert.equal(exitCode, 0, stderr);
        assert.match(stderr, what === "created" ? /4 of 4 keys/ : /3 of 4 keys[^]*1 have been/);
      });
    }

    it("a key that was never copied is one", async () => {
      bench.tamper(one, { version: leftOut });
      assert.match((await bench.script("ensure")).stderr, /missing \/registry\/configmaps/);
    });
  });

  it("does not miss expired events: they end by themselves", async () => {
    bench.tamper("/registry/events/default/e", { version: leftOut });
    await bench.succeed("ensure");
  });

  it("compares more keys than fit on one page", async () => {
    bench.put(
      Object.fromEntries(
        Array.from({ length: 1300 }, (_, n) => [`/registry/pods/p-${n}`, `${n}`.repeat(300)]),
      ),
    );
    assert.match(
      (await bench.script("ensure")).stderr,
      /1304 of 1304 keys are in etcd with the values/,
    );
  });

  it("makes a new cold copy at a second attempt, and keeps the first", async () => {
    bench.root.write("fails-at-copy", "");
    await bench.script("ensure");
    execFileSync("rm", [bench.root.at("fails-at-copy")]);
    bench.put({ "/registry/later": "written between the attempts" });
    await bench.succeed("ensure");
    assert.match(bench.root.read(`${db}/etcd/keys.json`), /registry\/later/);
    const kept = execFileSync("ls", [bench.root.at(conversion)], { encoding: "utf8" });
    assert.match(kept, /cold-\d+T\d+/);
    assert.match(kept, /failed-\d+T\d+/);
  });
});
