import { packageVersion } from "../plugins/protocol/packageVersion.ts";

/**
 * The versions that the toolchain provides. The SDKs' npm packages decide for themselves and their
 * plugins; the CLI follows the SDK. The language host built from Go modules is an older one, the
 * last whose module could be had alone; it works with this CLI.
 */
export const versions = {
  pulumi: packageVersion("@pulumi/pulumi"),
  languageHostModule: "3.68.0",
  command: packageVersion("@pulumi/command"),
  random: packageVersion("@pulumi/random"),
  proxmoxve: packageVersion("@muhlba91/pulumi-proxmoxve"),
  go: "1.26.0",
} as const;
