// In the place of acts/main.ts: writes down what is asked of it, and answers as a membership does.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const [act, verb] = process.argv.slice(2);
const request: { machine?: { name: string }; gone?: boolean; onDestroy?: string } = JSON.parse(
  await text(process.stdin),
);
const previous: { nonce?: string } | null = JSON.parse(
  process.env["PULUMI_COMMAND_STDOUT"] || "null",
);
const nonce = verb === "create" ? randomUUID() : previous?.nonce;
const journal = process.env["ENGINE_JOURNAL"] ?? "";
const entry = { who: request.machine?.name ?? "", act, verb, nonce, folder: process.cwd() };
appendFileSync(journal, `${JSON.stringify({ ...entry, request })}\n`);
console.log(JSON.stringify({ nonce }));
