/** Stands in for the resource plugin `command` where its release cannot be fetched. */
import { packageVersion } from "../protocol/packageVersion.ts";
import { servePlugin } from "../protocol/servePlugin.ts";
import { commandType } from "./commandType.ts";
import { copyToRemote } from "./copyToRemote.ts";
import { runLocally } from "./runLocally.ts";
import { runRemotely } from "./runRemotely.ts";

await servePlugin(
  {
    version: packageVersion("@pulumi/command"),
    types: {
      "command:local:Command": commandType(runLocally),
      "command:remote:Command": commandType(runRemotely),
      "command:remote:CopyToRemote": copyToRemote,
    },
  },
  process.argv.slice(2),
);
