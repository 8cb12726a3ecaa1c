import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FakeRoot } from "./fakeRoot.ts";
import type { Run } from "./runScript.ts";
import { treeOf } from "./treeOf.ts";

/** What changes a machine; a run is cut off before one of them. */
const changing = ["mv", "rm", "cp", "rmdir", "sed", "systemctl", "kubeadm", "dpkg"];

export interface CutRuns {
  /** Of the commands only each so many-th is a place to cut. @default 1 */
  readonly every?: number;
  /** A machine as it is before the run. */
  readonly make: () => Promise<{ root: FakeRoot; stop: () => void; run: () => Promise<Run> }>;
}

/**
 * Runs a script on one machine after the other, each time killed one changing command later, and then again, whole.
 *
 * @returns how many cuts there were
 * @throws AssertionError where the second run fails, or leaves another machine than a run that was not cut
 */
export async function cutEverywhere({ make, every = 1 }: CutRuns): Promise<number> {
  const whole = await oneCut(make, Infinity);
  for (let at = 1; at <= whole.commands; at += every) {
    const { tree, cut } = await oneCut(make, at);
    assert.ok(cut, `run ${at} was not cut`);
    assert.equal(tree, whole.tree, `cut before command ${at}`);
  }
  return whole.commands;
}

interface Outcome {
  readonly tree: string;
  readonly commands: number;
  readonly cut: boolean;
}

async function oneCut(make: CutRuns["make"], at: number): Promise<Outcome> {
  const { root, stop, run } = await make();
  try {
    installCuts(root, at);
    const first = await run();
    const commands = Number(root.read("cut/count"));
    const cut = first.exitCode !== 0;
    root.write("cut/at", "0");
    if (cut) {
      const second = await run();
      assert.equal(second.exitCode, 0, `after a cut before command ${at}: ${second.stderr}`);
    }
    return { tree: treeOf(root), commands, cut };
  } finally {
    stop();
  }
}

function installCuts(root: FakeRoot, at: number): void {
  mkdirSync(root.at("cut/real"), { recursive: true });
  root.write("cut/count", "0\n");
  root.write("cut/at", `${at}\n`);
  for (const name of changing) {
    const double = join(root.commands, name);
    let real = `/usr/bin/${name}`;
    if (existsSync(double)) {
      real = root.at(`cut/real/${name}`);
      renameSync(double, real);
    } else if (!existsSync(real)) continue;
    writeFileSync(double, cutter(real));
    chmodSync(double, 0o755);
  }
}

/** Kills the script that it belongs to, which is read from standard input, and not the double of a command. */
function cutter(real: string): string {
  return String.raw`#!/bin/bash
folder=$TRIAD_ROOT/cut
exec 7>"$folder/lock"
flock 7
read -r count <"$folder/count"
echo $((count + 1)) >"$folder/count"
if [[ $((count + 1)) == "$(<"$folder/at")" ]]; then
  pid=$PPID main=
  while ((pid > 1)); do
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") != "bash -s -- "* ]] || main=$pid
    pid=$(/usr/bin/sed -n 's/^PPid:\t*//p' "/proc/$pid/status")
  done
  kill -KILL "$main"
  exit 1
fi
exec 7>&-
exec ${real} "$@"
`;
}
