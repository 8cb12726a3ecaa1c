import { isDeepStrictEqual } from "node:util";
import { type Document, parseDocument } from "yaml";

/**
 * Edits a YAML text in kubeadm's own style. A text whose content stays the same stays the same to the letter: whoever
 * compares it sees a change only where there is one.
 */
export function editYaml(text: string, edit: (document: Document.Parsed) => void): string {
  const document = parseDocument(text);
  const before: unknown = document.toJSON();
  edit(document);
  return isDeepStrictEqual(before, document.toJSON())
    ? text
    : document.toString({ indentSeq: false });
}
