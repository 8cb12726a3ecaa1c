import { distance } from "fastest-levenshtein";

/** The name that somebody probably meant, if one is near enough to be a slip of the keyboard. */
export function closestName(word: string, names: readonly string[]): string | undefined {
  const tolerated = Math.max(2, Math.floor(word.length / 3));
  const [best] = names
    .map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= tolerated)
    .sort((one, other) => one.edits - other.edits);
  return best?.name;
}
