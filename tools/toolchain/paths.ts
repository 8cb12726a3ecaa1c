import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The clone's folder. */
export const repositoryFolder = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** What was fetched or built, by version; shared by every clone of this user. */
export const cacheFolder = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "triad",
);
