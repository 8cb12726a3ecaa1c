import { z } from "zod";

/** Why a value can't be, and what would be right. */
export interface Complaint {
  readonly problem: string;
  readonly cure: string;
}

/** A text field that a function judges; `example` is shown in cures and in the reference. */
export function text(
  judge: (value: string) => Complaint | undefined,
  example: string,
): z.ZodString {
  return z
    .string()
    .check((context) => {
      const complaint = judge(context.value);
      if (complaint === undefined) return;
      const { problem, cure } = complaint;
      context.issues.push({
        code: "custom",
        message: problem,
        params: { cure },
        input: context.value,
      });
    })
    .meta({ examples: [example] });
}
