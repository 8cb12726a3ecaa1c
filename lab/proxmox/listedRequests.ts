import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder } from "../paths.ts";

/** What the provider asks for by itself, and what a rehearsal asks for besides: Triad's look, seeds. */
const listFiles = ["tests/lab/proxmox/requests.txt", "lab/proxmox/requests.txt"].map((file) =>
  join(projectFolder, file),
);

/**
 * Of what Proxmox was asked for, what no list has: another version of the provider asks for something that the double may
 * not have as Proxmox has it. With TRIAD_WRITE_LISTS in the environment it is added to the rehearsals' list instead.
 */
export async function unlistedRequests(asked: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(listFiles.map((file) => readFile(file, "utf8")));
  const unlisted = notIn(asked, texts);
  const [, own = ""] = texts;
  const [, ownFile = ""] = listFiles;
  if (unlisted.length === 0 || process.env["TRIAD_WRITE_LISTS"] === undefined) return unlisted;
  const lines = [...linesOf(own), ...unlisted].sort();
  await writeFile(ownFile, `${lines.join("\n")}\n`);
  return [];
}

/** Those that stand in none of the texts, a line each. */
export function notIn(asked: readonly string[], texts: readonly string[]): string[] {
  const listed = new Set(texts.flatMap(linesOf));
  return asked.filter((one) => !listed.has(one));
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
