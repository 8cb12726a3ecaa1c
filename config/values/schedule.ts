import { Cron } from "croner";
import type { Complaint } from "./complaint.ts";

const FIELDS = "give five fields, minute hour day month weekday, for instance 0 2 * * *";
const NICKNAME = /^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$/;
/** What a field is made of, between its commas, hyphens and slashes. */
const ATOM = /^(\*|\d+|[a-z]{3})$/i;

/**
 * Refuses what k3s can't read as a schedule, or what never comes. croner reads more than k3s does,
 * for instance L for the last day, and 7 for Sunday.
 * @see https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format
 */
export function judgeSchedule(value: string): Complaint | undefined {
  if (NICKNAME.test(value)) return undefined;
  const fields = value.split(" ");
  const isWellFormed = fields.every((field) =>
    field.split(/[-,/]/).every((atom) => ATOM.test(atom)),
  );
  if (fields.length !== 5 || !isWellFormed) return unreadable(value);
  if (/(^|[-,])7/.test(fields[4] ?? "")) {
    return { problem: `"${value}" has a weekday 7, which k3s refuses`, cure: "write Sunday as 0" };
  }
  try {
    if (new Cron(value, { mode: "5-part" }).nextRun() !== null) return undefined;
  } catch {
    return unreadable(value);
  }
  return { problem: `"${value}" never comes`, cure: "give a day that its month has" };
}

function unreadable(value: string): Complaint {
  return { problem: `"${value}" is not a schedule of cron`, cure: FIELDS };
}
