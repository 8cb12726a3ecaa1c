import { execa } from "execa";

import type { AptPackage } from "./aptPackages.ts";
import { findProgram } from "./programs.ts";

/**
 * Installs the packages whose programs are missing.
 * @returns the names of the packages installed; none when nothing was missing.
 * @throws Error that lists what is missing where there is no apt, or no right to use it.
 */
export async function ensureAptPackages(
  wanted: readonly AptPackage[],
  say: (line: string) => void,
): Promise<readonly string[]> {
  const missing = [
    ...new Set(
      wanted.filter(({ program }) => findProgram(program) === undefined).map((one) => one.package),
    ),
  ];
  if (missing.length === 0) return [];
  const list = missing.join(" ");
  if (findProgram("apt-get") === undefined) {
    throw new Error(`missing: ${list} (Debian's names); install them and start again`);
  }
  const [program, ...args] = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "-n", "apt-get"];
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  try {
    say(`apt-get update`);
    await execa(program, [...args, "update", "-qq"], { env: environment });
    say(`apt-get install ${list}`);
    await execa(program, [...args, "install", "-y", "-qq", "--no-install-recommends", ...missing], {
      env: environment,
    });
  } catch (error) {
    throw new Error(`could not install ${list}; as root: apt-get install ${list}`, {
      cause: error,
    });
  }
  return missing;
}
