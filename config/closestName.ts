import { distance } from "fastest-levenshtein";

/**
 * The name that somebody probably meant, if one is near enough to be a slip of the keyboard.
 * @param tolerated so many letters may differ; by default a third of them
 */
export function closestName(
  word: string,
  names: readonly string[],
  tolerated = Math.max(2, Math.floor(word.length / 3)),
): string | undefined {
  const [best] = names
    .map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= tolerated)
    .sort((one, other) => one.edits - other.edits);
  return best?.name;
}
