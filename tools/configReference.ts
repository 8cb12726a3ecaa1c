/**
 * Writes what the config's schema says to docs/config.md and to the `config` of Pulumi.yaml. With
 * `--check` it only says whether they are up to date.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { format, resolveConfig } from "prettier";
import { parseDocument } from "yaml";
import { jsonSchema, type JsonSchema } from "../config/jsonSchema.ts";
import { secretKeys } from "../config/schema.ts";

const root = resolve(import.meta.dirname, "..");

const INTRODUCTION = `# Config

<!-- Made by \`node tools/configReference.ts\` of config/schema.ts. -->

Every key that a stack's file, \`Pulumi.<stack>.yaml\`, may have under \`config\`. A key that is not
here is refused, at every level. Whole files to begin with are
[Pulumi.homelab.yaml](../Pulumi.homelab.yaml) for k3s and
[Pulumi.kubeadm.yaml](../Pulumi.kubeadm.yaml). What does not fit together (an address used twice, an
endpoint outside its subnet, a machine in two roles, ...) is refused too: \`pulumi preview\` names every
fault of a file at once, with its path and what would be right, before anything is touched.

`;

/** The reference, as Markdown. */
function reference(): string {
  const overview = table("triad:", jsonSchema);
  return INTRODUCTION + overview + sections("triad:", 2, jsonSchema);
}

function sections(prefix: string, level: number, node: JsonSchema): string {
  return Object.entries(node.properties ?? {})
    .map(([key, part]) => {
      const { inner, suffix } = map(part);
      if (inner === undefined || secretKeys.includes(key)) return "";
      const path = `${prefix}${key}${suffix}`;
      return (
        `\n${"#".repeat(level)} ${path}\n\n${part.description}\n\n` +
        table("", inner) +
        sections(`${path}.`, level + 1, inner)
      );
    })
    .join("");
}

/** The keys inside a key: a map's own, or those of each value of a map by names. */
function map(node: JsonSchema): { inner: JsonSchema | undefined; suffix: string } {
  if (node.properties !== undefined) return { inner: node, suffix: "" };
  const each = node.additionalProperties;
  const isByName = typeof each === "object" && each.properties !== undefined;
  return { inner: isByName ? each : undefined, suffix: ".NAME" };
}

function table(prefix: string, node: JsonSchema): string {
  const rows = Object.entries(node.properties ?? {}).map(([key, part]) => {
    const need = node.required?.includes(key) ? "**required**" : defaultOf(part);
    return `| \`${prefix}${key}\` | ${kind(key, part)} | ${need} | ${part.description}${hint(part)} |`;
  });
  return `| Key | Value | Default | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function kind(key: string, node: JsonSchema): string {
  if (secretKeys.includes(key)) return "secret";
  if (node.enum !== undefined) return node.enum.map((option) => `\`${option}\``).join(", ");
  if (node.type === "object") return "map";
  if (node.type === "array") return "list of names";
  if (node.type === "boolean") return "`true` or `false`";
  if (node.type === "string") return "string";
  const isBounded = node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER;
  const number = node.type === "integer" ? "whole number" : "number";
  return isBounded ? `${number}, ${node.minimum} to ${node.maximum}` : number;
}

function defaultOf(node: JsonSchema): string {
  const isShown = node.default !== undefined && JSON.stringify(node.default) !== "{}";
  return isShown ? `\`${JSON.stringify(node.default).replaceAll('"', "")}\`` : "";
}

function hint(node: JsonSchema): string {
  const [example] = node.examples ?? node.items?.examples ?? [];
  if (example === undefined || example === node.default) return "";
  const written = node.type === "array" ? `[${String(example)}]` : String(example);
  return ` Example: \`${written}\`.`;
}

/**
 * Pulumi.yaml with its `config` as the schema has it. Without types, since the engine would refuse a
 * wrong one before the program could list every fault; with an empty default where there is none,
 * since the engine takes a key without for required.
 */
function project(before: string): string {
  const document = parseDocument(before);
  const keys = Object.entries(jsonSchema.properties ?? {}).map(([key, node]) => [
    key,
    {
      description: node.description,
      ...(secretKeys.includes(key) ? { secret: true } : {}),
      default: secretKeys.includes(key) ? "" : (node.default ?? empty(node)),
    },
  ]);
  const config = document.createNode(Object.fromEntries(keys));
  config.commentBefore =
    " Made by `node tools/configReference.ts` of config/schema.ts, which checks types, nested keys and\n" +
    " what belongs together, and lists all faults at once. An empty default means: not given.";
  document.set("config", config);
  return document.toString({ lineWidth: 100 });
}

function empty(node: JsonSchema): unknown {
  if (node.type === "object") return {};
  return node.type === "array" ? [] : "";
}

/** Writes or compares one file, and says whether it was up to date. */
async function bring(path: string, make: (before: string) => string): Promise<boolean> {
  const file = resolve(root, path);
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const style = (await resolveConfig(file)) ?? { printWidth: 100 };
  const after = await format(make(before), { ...style, filepath: file });
  if (after === before) return true;
  if (values.check) {
    console.error(`${path} is not what config/schema.ts says: run node tools/configReference.ts`);
  } else {
    writeFileSync(file, after);
  }
  return false;
}

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const areCurrent = [await bring("docs/config.md", reference), await bring("Pulumi.yaml", project)];
if (values.check && areCurrent.includes(false)) process.exitCode = 1;
