import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder that stands for / in a test, with commands of its own put first on PATH. */
export class FakeRoot {
  readonly root: string;
  readonly commands: string;
  readonly path: readonly string[];

  constructor(parent = tmpdir()) {
    this.root = mkdtempSync(join(parent, "triad-root-"));
    this.commands = join(this.root, "stub-commands");
    this.path = [this.commands];
    mkdirSync(this.commands);
  }

  at(path: string): string {
    return join(this.root, path);
  }

  read(path: string): string {
    return readFileSync(this.at(path), "utf8");
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content);
  }

  /** Puts a command in front of the real one. It finds the root as $TRIAD_ROOT. */
  command(name: string, body: string): void {
    const file = join(this.commands, name);
    writeFileSync(file, `#!/bin/bash\n${body}\n`);
    chmodSync(file, 0o755);
  }

  /** What a command made with `recorded` was called with, a line a call. */
  calls(name: string): string[] {
    try {
      return this.read(`calls/${name}`).trimEnd().split("\n");
    } catch {
      return [];
    }
  }

  /** A command that notes its arguments before it does `body`. */
  recorded(name: string, body = ""): void {
    mkdirSync(this.at("calls"), { recursive: true });
    this.command(name, `printf '%s\\n' "$*" >>"$TRIAD_ROOT/calls/${name}"\n${body}`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
