import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where administrators' programs lie when PATH leaves them out. */
const systemFolders = ["/usr/sbin", "/sbin"];

/** The path of a program on PATH (or where administrators' programs lie), or undefined. */
export function findProgram(program: string): string | undefined {
  return [...(process.env["PATH"] ?? "").split(delimiter), ...systemFolders]
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

/** Is there an executable file at this path, also behind a link? */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
