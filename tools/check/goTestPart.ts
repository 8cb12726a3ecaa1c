import { join } from "node:path";

import { execa } from "execa";
import { z } from "zod";

import { ensureGo } from "../toolchain/ensureGo.ts";
import { repositoryFolder } from "../toolchain/paths.ts";
import type { Part } from "./parts.ts";

/** What `go test -json` tells; only ends of tests count here. */
const eventSchema = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  Test: z.string().optional(),
  Output: z.string().optional(),
});
type Event = z.infer<typeof eventSchema>;

/** The Go tests of a module; each test counts, and so does a package that fails as a whole. Those skipped don't. */
export function goTestPart(title: string, folder: string): Part {
  return {
    title,
    async run() {
      const go = await ensureGo();
      const { stdout, stderr } = await execa(go, ["test", "-json", "./..."], {
        cwd: join(repositoryFolder, folder),
        env: { GOFLAGS: "-mod=readonly", GOWORK: "off" },
        stdin: "ignore",
        reject: false,
        maxBuffer: 256 * 1024 * 1024,
      });
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
      const events = lines.map((line) => eventSchema.parse(JSON.parse(line)));
      const passed = events.filter(({ Action, Test }) => Action === "pass" && Test !== undefined);
      const failed = events.filter(({ Action }) => Action === "fail");
      const tests = failed.filter(({ Test }) => Test !== undefined).length;
      return {
        passed: passed.length,
        failed: tests > 0 ? tests : failed.length + (events.length === 0 ? 1 : 0),
        output: [...outputOf(events, failed), stderr].join(""),
      };
    },
  };
}

/** What the packages said of which something failed. */
function outputOf(events: readonly Event[], failed: readonly Event[]): string[] {
  const packages = new Set(failed.map((event) => event.Package));
  return events.flatMap((event) => (packages.has(event.Package) ? [event.Output ?? ""] : []));
}
