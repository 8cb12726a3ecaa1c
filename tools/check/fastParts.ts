import { glob } from "node:fs/promises";

import { repositoryFolder } from "../toolchain/paths.ts";
import type { Part } from "./parts.ts";
import { mochaPart, programPart } from "./parts.ts";

const cache = "node_modules/.cache";

/** Tests that wait for real servers and the real engine: `make test` has the minutes, `make check` has not. */
const patient = [
  "tests/engine/**",
  "tests/plugins/**",
  "tests/acts/external/haproxyText.test.ts",
  "tests/lab/proxmox/provider.test.ts",
  "tests/scripts/{dnsRecord,haproxy*,k3sC{omparison,onvert*},k3s{LeaveCut,Recover*},keepalived}.test.ts",
  "tests/scripts/{kubeadm{Leave*,Recover*},loadBalancerPair,machine{Fetching,Removal*},ownLoadBalancers}.test.ts",
];

/**
 * The checks that need no lab; the longest first, since they run beside each other.
 * @param hurried leaves out the tests that wait for real servers
 */
export async function fastParts(hurried: boolean): Promise<readonly Part[]> {
  const scripts = await shellScripts();
  const left = hurried ? patient.flatMap((files) => ["--ignore", files]) : [];
  return [
    mochaPart("tests", { live: false }, "--parallel", "--jobs", "3", ...left, "tests/**/*.test.ts"),
    programPart(
      "lint",
      "eslint",
      ...["--cache", "--cache-location", `${cache}/eslint/`, "--max-warnings", "0", "."],
    ),
    programPart(
      "types",
      "tsc",
      ...["--noEmit", "--incremental", "--tsBuildInfoFile", `${cache}/tsc.json`],
    ),
    programPart("format", "prettier", ...["--check", "--cache", "--log-level", "warn", "."]),
    programPart("config reference", "node", "tools/configReference.ts", "--check"),
    programPart("shell scripts", "shellcheck", "--external-sources", ...scripts),
  ];
}

async function shellScripts(): Promise<readonly string[]> {
  const patterns = ["scripts/**/*.sh", "lab/**/*.sh", "tools/plugins/bin/*", "lab/ctl", ".ci/run"];
  const found: string[] = [];
  const options = {
    cwd: repositoryFolder,
    exclude: (name: string): boolean => name.includes("node_modules"),
  };
  for await (const file of glob(patterns, options)) found.push(file);
  return found.sort();
}
