import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";

import { download } from "./download.ts";
import { buildGoModule } from "./goModule.ts";
import { repositoryFolder } from "./paths.ts";
import { findProgram, isExecutable } from "./programs.ts";
import { versions } from "./versions.ts";

/** Programs found by one of the ways: their paths by name, and where they come from. */
export interface Found {
  readonly from: "computer" | "download" | "Go modules" | "stand-in";
  readonly programs: Readonly<Record<string, string>>;
}

/** Something the project runs, and the ways to get it, best first. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Each way gives the programs, or the reason why it cannot. */
  readonly ways: readonly ((say: (line: string) => void) => Promise<Found | string>)[];
}

/** What the toolchain provides beside Node and npm packages. */
export const tools: readonly Tool[] = [
  {
    name: "pulumi",
    version: versions.pulumi,
    ways: [installedPulumi, downloadedPulumi, builtPulumi],
  },
  plugin("command", versions.command, "pulumi", standIn),
  plugin("random", versions.random, "pulumi", standIn),
];

/**
 * What tests and labs need beside them. Somebody who has Proxmox gets the plugin from Pulumi, when his program first
 * asks for it.
 */
export const testTools: readonly Tool[] = [
  plugin("proxmoxve", versions.proxmoxve, "muhlba91", builtProxmox),
];

const goModules = join(repositoryFolder, "tools/toolchain/gomodules");

async function installedPulumi(): Promise<Found | string> {
  const pulumi = findProgram("pulumi");
  if (pulumi === undefined) return "not on PATH";
  const { stdout } = await execa(pulumi, ["version"], {
    reject: false,
    env: { PULUMI_SKIP_UPDATE_CHECK: "1" },
  });
  const version = stdout.trim();
  if (version !== `v${versions.pulumi}`) return `${version} on PATH`;
  // Found by the engine beside itself or on PATH, and in that order.
  const beside = join(dirname(realpathSync(pulumi)), "pulumi-language-nodejs");
  const languageHost = isExecutable(beside) ? beside : findProgram("pulumi-language-nodejs");
  if (languageHost === undefined) return "no pulumi-language-nodejs on PATH";
  return {
    from: "computer",
    // The real files: what is on PATH may be a link into the folder that is about to be replaced.
    programs: {
      pulumi: realpathSync(pulumi),
      "pulumi-language-nodejs": realpathSync(languageHost),
    },
  };
}

async function downloadedPulumi(say: (line: string) => void): Promise<Found | string> {
  const version = versions.pulumi;
  const release = `https://github.com/pulumi/pulumi/releases/download/v${version}`;
  const platform = `${process.platform}-${process.arch}`;
  const unpacked = await download(
    {
      name: "pulumi",
      version,
      url: `${release}/pulumi-v${version}-${platform}.tar.gz`,
      sums: `${release}/pulumi-${version}-checksums.txt`,
    },
    say,
  );
  if (unpacked.folder === undefined) return unpacked.reason;
  return { from: "download", programs: pulumiPrograms(join(unpacked.folder, "pulumi")) };
}

async function builtPulumi(say: (line: string) => void): Promise<Found | string> {
  const version = `v${versions.pulumi}`;
  const cli = await buildGoModule({
    name: "pulumi",
    version,
    folder: join(goModules, "pulumi"),
    packages: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    ldflags: `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`,
    say,
  });
  const host = await buildGoModule({
    name: "pulumi-language-nodejs",
    version: `v${versions.languageHostModule}`,
    folder: join(goModules, "pulumi-language-nodejs"),
    packages: {
      "pulumi-language-nodejs": "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    },
    say,
  });
  return {
    from: "Go modules",
    programs: {
      pulumi: join(cli, "pulumi"),
      "pulumi-language-nodejs": join(host, "pulumi-language-nodejs"),
    },
  };
}

function pulumiPrograms(folder: string): Record<string, string> {
  const names = ["pulumi", "pulumi-language-nodejs"];
  return Object.fromEntries(names.map((name) => [name, join(folder, name)]));
}

async function standIn(program: string): Promise<Found> {
  return foundIn("stand-in", join(repositoryFolder, "tools/plugins/bin"), program);
}

async function builtProxmox(program: string, say: (line: string) => void): Promise<Found> {
  const bin = await buildGoModule({
    name: program,
    version: `v${versions.proxmoxve}`,
    folder: join(goModules, program),
    packages: { [program]: `triad.invalid/${program}` },
    sources: ["main.go"],
    ldflags: `-s -w -X main.version=${versions.proxmoxve}`,
    say,
  });
  return foundIn("Go modules", bin, program);
}

function foundIn(from: Found["from"], folder: string, program: string): Found {
  return { from, programs: { [program]: join(folder, program) } };
}

/** A plugin that is installed, released by its owner on GitHub, or made by the last of the ways. */
function plugin(
  name: string,
  version: string,
  owner: string,
  otherwise: (program: string, say: (line: string) => void) => Promise<Found>,
): Tool {
  const program = `pulumi-resource-${name}`;
  return {
    name: `pulumi plugin ${name}`,
    version,
    ways: [
      async () => {
        const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
        const folder = join(home, "plugins", `resource-${name}-v${version}`);
        const isThere = isExecutable(join(folder, program));
        return isThere ? foundIn("computer", folder, program) : "not installed";
      },
      async (say) => {
        const release = `https://github.com/${owner}/pulumi-${name}/releases/download/v${version}`;
        const arch = process.arch === "x64" ? "amd64" : process.arch;
        const unpacked = await download(
          {
            name: program,
            version,
            url: `${release}/${program}-v${version}-${process.platform}-${arch}.tar.gz`,
            sums: `${release}/pulumi-${name}_${version}_checksums.txt`,
          },
          say,
        );
        if (unpacked.folder === undefined) return unpacked.reason;
        return foundIn("download", unpacked.folder, program);
      },
      (say) => otherwise(program, say),
    ],
  };
}
