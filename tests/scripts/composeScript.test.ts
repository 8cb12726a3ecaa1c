import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { composeScript } from "../../scripts/composeScript.ts";
import { FakeRoot } from "./support/fakeRoot.ts";
import { runBash } from "./support/runScript.ts";

const folder = join(import.meta.dirname, "../../scripts");
const scripts = readdirSync(folder).filter((name) => name.endsWith(".sh") && name !== "lib.sh");

/** composeScript takes files of scripts/; this leads it to one of a test. */
const farUp = "../../../../../../../../";

describe("composeScript", () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
  });
  afterEach(() => {
    root.remove();
  });

  function compose(body: string, variables: Record<string, string> = {}): string {
    root.write("script.sh", body);
    return composeScript(join(farUp, root.at("script.sh")), variables);
  }

  it("brings any value to the script unchanged", async function () {
    this.timeout(20_000);
    const value = fc
      .string({ unit: "binary", maxLength: 60 })
      .map((text) => text.replaceAll("\0", ""))
      .filter((text) => !/\p{Surrogate}/u.test(text));
    const awkward = fc.constantFrom(
      "'",
      "''",
      "\n",
      "\r\n",
      "$(id)",
      "`id`",
      "\\",
      '"',
      "!",
      "#",
      "}",
      "\nEOF\n",
      "é漢🙂",
      "",
    );
    const values = fc.array(
      fc.oneof(
        value,
        awkward,
        fc.tuple(awkward, value).map((pair) => pair.join("")),
      ),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    await fc.assert(
      fc.asyncProperty(values, async (wanted) => {
        const variables = Object.fromEntries(wanted.map((text, index) => [`VALUE_${index}`, text]));
        const print = wanted.map((_, index) => `printf '%s\\0' "$VALUE_${index}" >&3`).join("\n");
        const run = await runBash(compose(`check() {\n${print}\n}`, variables), "check", root);
        assert.equal(run.exitCode, 0, run.stderr);
        assert.deepEqual(run.stdout.split("\0").slice(0, -1), wanted);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses names that mean something else to bash, and says which", () => {
    for (const name of [
      "lower",
      "1ST",
      "WITH-DASH",
      "A;id",
      "A B",
      "",
      "PATH",
      "IFS",
      "BASH_ENV",
      "UID",
      "ROOT",
    ]) {
      assert.throws(
        () => composeScript("observe.sh", { [name]: "x" }),
        (error: unknown) =>
          error instanceof RangeError && error.message.includes(`variable ${name}:`),
        name,
      );
    }
  });

  it("refuses a value that bash cannot hold, without telling it", () => {
    for (const value of ["hunter2\0", "hunter2\ud800"]) {
      assert.throws(
        () => composeScript("observe.sh", { SECRET: value }),
        (error: unknown) => error instanceof RangeError && !error.message.includes("hunter2"),
      );
    }
  });

  it("runs nothing of a text that was cut anywhere on the way", async function () {
    this.timeout(30_000);
    const whole = compose(`touch "$ROOT/loaded"\nensure() { touch "$ROOT/ran"; }`, {
      VALUE: "a\nb",
    });
    const bytes = Buffer.from(whole);
    const cuts = [
      1,
      2,
      ...Array.from({ length: 40 }, (_, index) => Math.floor((bytes.length * (index + 1)) / 41)),
      bytes.length - 2,
    ];
    for (const cut of cuts) {
      const run = await runBash(bytes.subarray(0, cut), "ensure", root);
      assert.ok(
        !existsSync(root.at("loaded")) && !existsSync(root.at("ran")),
        `cut at ${cut}: ${run.stderr}`,
      );
    }
    await runBash(whole, "ensure", root);
    assert.ok(existsSync(root.at("ran")));
  });

  it("keeps commands from eating the rest of the script", async () => {
    const run = await runBash(
      compose(`ensure() { result "{\\"eaten\\":$(cat | wc -c)}"; }`),
      "ensure",
      root,
    );
    assert.deepEqual(run.result, { eaten: 0 });
  });

  it("brings the parts that a script names", async () => {
    root.write("part.sh", "helper() { result '{\"helped\":true}'; }\n");
    const body = `# part: ${join(farUp, root.at("part.sh"))}\ncheck() { helper; }\n`;
    assert.deepEqual((await runBash(compose(body), "check", root)).result, { helped: true });
  });

  it("stands on files that shellcheck accepts", function () {
    this.timeout(60_000);
    const all = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".sh"),
    );
    const run = spawnSync("shellcheck", all, { cwd: folder, encoding: "utf8" });
    assert.equal(run.status, 0, run.stdout + run.stderr);
  });

  for (const script of scripts) {
    it(`makes of ${script} a text that shellcheck accepts`, function () {
      this.timeout(30_000);
      // Every use is in sight of its definition here; what follows `exit` is reached as a function.
      const run = spawnSync("shellcheck", ["--shell=bash", "--exclude=SC2034,SC2153,SC2317", "-"], {
        input: composeScript(script, { VALUE: "it's" }),
        encoding: "utf8",
      });
      assert.equal(run.status, 0, run.stdout + run.stderr);
    });
  }
});
