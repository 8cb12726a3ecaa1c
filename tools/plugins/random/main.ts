/** Stands in for the resource plugin `random` where its release cannot be fetched. */
import { randomBytes } from "node:crypto";

import type { Created, ResourceType } from "../protocol/plugin.ts";
import { packageVersion } from "../protocol/packageVersion.ts";
import { servePlugin } from "../protocol/servePlugin.ts";
import type { Properties } from "../protocol/values.ts";
import { randomText } from "./randomText.ts";

/** A value made once; any change of an input makes another. */
function randomType(
  outputs: readonly string[],
  secretOutputs: readonly string[],
  make: (inputs: Properties) => Created,
): ResourceType {
  return { outputs, secretOutputs, replaces: () => true, create: async (inputs) => make(inputs) };
}

await servePlugin(
  {
    version: packageVersion("@pulumi/random"),
    types: {
      "random:index/randomPassword:RandomPassword": randomType(["result"], ["result"], (inputs) => {
        const { text, outputs } = randomText(inputs);
        return { id: "none", outputs: { ...outputs, result: text } };
      }),
      "random:index/randomString:RandomString": randomType(["result"], [], (inputs) => {
        const { text, outputs } = randomText(inputs);
        return { id: text, outputs: { ...outputs, result: text } };
      }),
      "random:index/randomBytes:RandomBytes": randomType(
        ["base64", "hex"],
        ["base64", "hex"],
        (inputs) => {
          const bytes = randomBytes(Number(inputs["length"]));
          const outputs = { base64: bytes.toString("base64"), hex: bytes.toString("hex") };
          return { id: "none", outputs };
        },
      ),
      "random:index/randomId:RandomId": randomType(
        ["b64Std", "b64Url", "dec", "hex"],
        [],
        (inputs) => {
          const bytes = randomBytes(Number(inputs["byteLength"]));
          const prefix = typeof inputs["prefix"] === "string" ? inputs["prefix"] : "";
          const id = bytes.toString("base64url");
          const outputs = {
            b64Std: prefix + bytes.toString("base64"),
            b64Url: prefix + id,
            dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
            hex: prefix + bytes.toString("hex"),
          };
          return { id, outputs };
        },
      ),
    },
  },
  process.argv.slice(2),
);
