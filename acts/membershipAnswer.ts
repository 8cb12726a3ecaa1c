import * as z from "zod";

/** What a membership's create or update answers, and its delete remembers. */
export const membershipAnswer = z.object({
  server: z.string().optional(),
  /** Minted by create and written on the Node: a delete whose nonce is not there deletes nobody. */
  nonce: z.string(),
  /** Whether this machine was a server before Triad knew it. */
  found: z.boolean(),
  /** Whether its machine is no more: it is out of the cluster already. */
  gone: z.boolean().optional(),
});
/** What the state remembers of a membership. */
export type MembershipAnswer = z.infer<typeof membershipAnswer>;
