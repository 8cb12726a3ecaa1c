import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { composeScript } from "../../scripts/composeScript.ts";
import { FakeRoot } from "./support/fakeRoot.ts";
import type { Run } from "./support/runScript.ts";
import { runBash } from "./support/runScript.ts";

describe("scripts/lib.sh", () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
  });
  afterEach(() => {
    root.remove();
  });

  async function run(
    body: string,
    variables: Record<string, string> = {},
    verb = "ensure",
  ): Promise<Run> {
    root.write("script.sh", body);
    const script = join("../../../../../../../../", root.at("script.sh"));
    return await runBash(composeScript(script, variables), verb, root);
  }

  describe("main", () => {
    it("gives stdout to the result alone, and all other output to stderr", async () => {
      const { stdout, stderr } = await run(
        `ensure() { echo noise; info progress; result '{"a":1}'; echo more; }`,
      );
      assert.equal(stdout, '{"a":1}\n');
      assert.equal(stderr, "noise\nprogress\nmore\n");
    });

    it("answers with changed when the script gives no result", async () => {
      assert.deepEqual((await run("ensure() { :; }")).result, { changed: false });
      assert.deepEqual((await run("ensure() { changed=true; }")).result, { changed: true });
    });

    it("knows the verbs of the script, and no other function", async () => {
      const body = `EXTRA_VERBS="status"\nensure() { :; }\nstatus() { result '{"s":1}'; }\nhelper() { :; }`;
      assert.deepEqual((await run(body, {}, "status")).result, { s: 1 });
      for (const verb of ["helper", "remove", "fail", "", "ensure check"]) {
        const { exitCode, stderr, stdout } = await run(body, {}, verb);
        assert.equal(exitCode, 1, verb);
        assert.match(stderr, /ensure remove check status/);
        assert.equal(stdout, "");
      }
    });

    it("tells where it stopped when a command fails that nobody expected to, without values", async () => {
      const { exitCode, stderr, stdout } = await run(
        `ensure() { step; }\nstep() { false "$SECRET"; }`,
        { SECRET: "hunter2" },
      );
      assert.equal(exitCode, 1);
      assert.match(stderr, /stopped in step: "false "\$SECRET"" ended with status 1/);
      assert.doesNotMatch(stderr, /hunter2/);
      assert.equal(stdout, "");
    });

    it("stops at a variable that was not given", async () => {
      const { exitCode, stderr } = await run("ensure() { require GIVEN MISSING; }", { GIVEN: "x" });
      assert.equal(exitCode, 1);
      assert.match(stderr, /the variable MISSING is missing or empty/);
    });
  });

  describe("fail", () => {
    it("says what was seen, why it matters and what to do, once, also from a subshell", async () => {
      const { exitCode, stderr, stdout } = await run(
        `ensure() { local x; x=$(inner); }\ninner() { fail seen why cure; }`,
      );
      assert.equal(exitCode, 1);
      assert.equal(stderr, "error: seen\n  why it matters: why\n  what to do: cure\n");
      assert.equal(stdout, "");
    });
  });

  describe("json_string", () => {
    it("makes JSON of any text", async function () {
      this.timeout(20_000);
      const text = fc
        .string({
          unit: fc.oneof(
            fc.constantFrom("\\", '"', "\n", "\r", "\t", "\u0001", "\u001f", "é", "🙂"),
            fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
          ),
          maxLength: 40,
        })
        .map((value) => value.replaceAll("\0", ""))
        .filter((value) => !/\p{Surrogate}/u.test(value));
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 10 }), async (texts) => {
          const variables = Object.fromEntries(texts.map((value, index) => [`V${index}`, value]));
          const parts = texts.map((_, index) => `$(json_string "$V${index}")`).join(",");
          const { result, stderr } = await run(
            `ensure() { result "{\\"all\\":[${parts}]}"; }`,
            variables,
          );
          assert.deepEqual(result, { all: texts }, stderr);
        }),
        { numRuns: 40 },
      );
    });
  });

  describe("install_file", () => {
    const body = `ensure() { install_file "$ROOT/a/b/file" "\${MODE:-0640}" <<<"$CONTENT"; result "{\\"changed\\":$changed,\\"file\\":$file_changed}"; }`;

    it("writes once, then leaves the file alone", async () => {
      assert.deepEqual((await run(body, { CONTENT: "one" })).result, { changed: true, file: true });
      const before = statSync(root.at("a/b/file"));
      assert.equal(before.mode & 0o777, 0o640);
      assert.deepEqual((await run(body, { CONTENT: "one" })).result, {
        changed: false,
        file: false,
      });
      assert.equal(statSync(root.at("a/b/file")).ino, before.ino);
      assert.deepEqual((await run(body, { CONTENT: "two" })).result, { changed: true, file: true });
      assert.equal(root.read("a/b/file"), "two\n");
      assert.deepEqual(readdirSync(root.at("a/b")), ["file"]);
    });

    it("corrects a mode, and replaces a link instead of writing through it", async () => {
      await run(body, { CONTENT: "one" });
      chmodSync(root.at("a/b/file"), 0o644);
      assert.deepEqual((await run(body, { CONTENT: "one" })).result, { changed: true, file: true });
      root.write("elsewhere", "one\n");
      symlinkSync(root.at("elsewhere"), root.at("a/b/link"));
      await run(body.replace("b/file", "b/link"), { CONTENT: "two" });
      assert.equal(root.read("elsewhere"), "one\n");
      assert.equal(root.read("a/b/link"), "two\n");
    });

    it("is never readable by others on the way to mode 0600", async () => {
      root.command("chmod", `stat -c %a "\${@: -1}" >>"$TRIAD_ROOT/modes"; exec /bin/chmod "$@"`);
      await run(body, { CONTENT: "secret", MODE: "0600" });
      assert.equal(root.read("modes"), "600\n");
    });
  });

  describe("wait_for", () => {
    it("tries until the command succeeds", async () => {
      const body = `attempt() { echo x >>"$ROOT/tries"; [[ $(wc -l <"$ROOT/tries") -ge 3 ]]; }\nensure() { wait_for 5 "the thing" attempt; }`;
      assert.equal((await run(body)).exitCode, 0);
      assert.equal(root.read("tries"), "x\nx\nx\n");
    });

    it("gives up at its limit and says what it saw last", async () => {
      const started = Date.now();
      const { exitCode, stderr } = await run(
        `attempt() { echo "only half of it"; return 1; }\nensure() { wait_for 1 "the thing" attempt || fail "no thing: $last_seen" why cure; }`,
      );
      assert.equal(exitCode, 1);
      assert.match(stderr, /the thing: not within 1 s; seen last: only half of it/);
      assert.match(stderr, /error: no thing: only half of it/);
      assert.ok(Date.now() - started < 4000);
    });
  });

  describe("hold_lock", () => {
    it("lets one run in at a time, and ends with a reason when the other takes too long", async () => {
      const first = run(`ensure() { hold_lock demo 1; touch "$ROOT/in"; sleep 3; }`);
      while (!readdirSync(root.root).includes("in"))
        await new Promise((resolve) => setTimeout(resolve, 20));
      const body = `check() { hold_lock demo 1; }`;
      root.write("second.sh", body);
      const second = await runBash(
        composeScript(join("../../../../../../../../", root.at("second.sh")), {}),
        "check",
        root,
      );
      assert.equal(second.exitCode, 1);
      assert.match(second.stderr, /another run has held the lock .*triad-demo\.lock for 1 s/);
      assert.equal((await first).exitCode, 0);
    }).timeout(10_000);
  });

  describe("ensure_packages", () => {
    it("installs only what is missing, after an update if the first try fails", async () => {
      root.command(
        "dpkg-query",
        `case "$*" in *Abbrev*) echo "ii  there" ;; *" there") echo 'install ok installed' ;; *) exit 1 ;; esac`,
      );
      root.recorded(
        "apt-get",
        `[[ $1 == update ]] && touch "$TRIAD_ROOT/updated"; [[ -e $TRIAD_ROOT/updated ]]`,
      );
      const { result, stderr } = await run("ensure() { ensure_packages there missing; }");
      assert.deepEqual(result, { changed: true }, stderr);
      const calls = root
        .calls("apt-get")
        .map((call) =>
          call.startsWith("update") ? "update" : (/install .*/.exec(call)?.[0] ?? call),
        );
      assert.deepEqual(calls, ["install missing", "update", "install missing"]);
      assert.deepEqual((await run("ensure() { ensure_packages there; }")).result, {
        changed: false,
      });
    });

    it("fails naming the packages when there is no way to get them", async () => {
      root.command("dpkg-query", `[[ $* == *Abbrev* ]] && echo "ii  there"`);
      root.command("apt-get", "exit 100");
      const { exitCode, stderr } = await run("ensure() { ensure_packages one two; }");
      assert.equal(exitCode, 1);
      assert.match(stderr, /apt-get could not install one two/);
    });
  });
});
