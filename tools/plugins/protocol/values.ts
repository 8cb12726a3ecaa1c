/** A property map as the engine sends it: plain JSON, with secrets, assets and unknowns marked by signatures. */
export type Properties = Readonly<Record<string, unknown>>;

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/**
 * What stands for a value that is not known during a preview.
 * @see https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
 */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Signatures of the two kinds of file-like values, found under their signature key. */
export const assetSignature = "c44067f5952c0a294b673a41bacd8c17";
export const archiveSignature = "0def7320c3a5731c473e5ecbe6d01bc7";

/** Is it a JSON object (not an array, not null)? */
export function isProperties(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The signature of a marked value, or undefined for a plain one. */
export function signatureOf(value: unknown): string | undefined {
  const signature = isProperties(value) ? value[signatureKey] : undefined;
  return typeof signature === "string" ? signature : undefined;
}

/** Marks a value as secret, unless it is one already. */
export function asSecret(value: unknown): unknown {
  return signatureOf(value) === secretSignature
    ? value
    : { [signatureKey]: secretSignature, value };
}

/** The value with every secret in it, at any depth, replaced by what it hides. */
export function reveal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reveal);
  if (!isProperties(value)) return value;
  if (signatureOf(value) === secretSignature) return reveal(value["value"]);
  return revealProperties(value);
}

/** {@link reveal} for a whole property map. */
export function revealProperties(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, reveal(value)]));
}
