import assert from "node:assert/strict";
import { cutAt } from "./support/cutAt.ts";
import { field } from "./support/field.ts";
import { RecoveryBench } from "./support/recoveryBench.ts";

const script = "k3s-recover.sh";

describe("scripts/k3s-recover.sh, after a power cut", function () {
  this.timeout(60_000);
  this.slow(5000);
  let bench: RecoveryBench;
  beforeEach(() => {
    bench = new RecoveryBench();
  });
  afterEach(() => {
    bench.stop();
  });

  const cut = async (condition: string, SNAPSHOT: string): Promise<void> =>
    await cutAt(script, { SNAPSHOT }, condition, bench.root);

  const moments: [string, string, boolean][] = [
    ["before the guard", "close_server", true],
    ["before k3s is stopped", 'stop_server "$AGAIN"', false],
    ["before the copy", 'copy_whole "$(kept)/etc" "$K3S_ETC"', false],
    ["in the copy", 'mv -T "$folder.part" "$folder"', false],
    [
      "between the two copies",
      'copy_whole "$(kept)/server" "$K3S_DATA"/server/{token,node-token,agent-token,tls,cred} "$DB/etcd"',
      false,
    ],
    ["before the copy counts", "write_phase copied", false],
    ["before the reset", "mapfile -t words < <(exec_start k3s)", false],
    ["before it is noted as proven", "proven", false],
    ["before k3s may start", 'rm -f "$CLOSED" "$KEEP_OUT"', false],
  ];
  for (const [moment, command, servesOld] of moments) {
    for (const SNAPSHOT of ["", "/backups/one"]) {
      it(`${moment}, ${SNAPSHOT === "" ? "from own data" : "from a snapshot"}: nothing half is served, and the next run completes`, async () => {
        bench.snapshot("backups/one", "as it was");
        await cut(`[[ $BASH_COMMAND == '${command}' ]]`, SNAPSHOT);
        bench.boot();
        assert.deepEqual(bench.served(), servesOld ? ["of three"] : []);
        const state = await bench.succeed(script, "ensure", { SNAPSHOT });
        assert.equal(field(state, "phase"), "serving");
        assert.equal(bench.served().at(-1), SNAPSHOT === "" ? "of one" : "as it was");
        assert.equal(bench.kept().length, 1);
        const [kept = ""] = bench.kept();
        assert.equal(bench.root.read(`${kept}/server/etcd/member/wal/0.wal`), "of three");
      });
    }
  }

  for (const SNAPSHOT of ["", "/backups/one"]) {
    it(`in k3s's reset ${SNAPSHOT === "" ? "of own data" : "from a snapshot"}: its flag does not stop the next run`, async () => {
      bench.snapshot("backups/one", "as it was");
      bench.root.write("reset-dies", "");
      await cut("false", SNAPSHOT);
      bench.boot();
      assert.deepEqual(bench.served(), []);
      await bench.succeed(script, "ensure", { SNAPSHOT });
      assert.equal(bench.served().at(-1), SNAPSHOT === "" ? "of one" : "as it was");
    });
  }
});
