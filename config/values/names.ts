import ipaddr from "ipaddr.js";
import type { Complaint } from "./complaint.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const USER = /^[a-z_][-a-z0-9_.]{0,31}$/i;
const FLAG = /^[a-z][a-z0-9-]*$/;
const INTERFACE = /^[^\s/:]{1,15}$/;

/** Whether it is a DNS label in lower case (RFC 1123). */
export function isDnsLabel(value: string): boolean {
  return LABEL.test(value);
}

/** Refuses what is no DNS label in lower case. */
export function judgeDnsLabel(value: string): Complaint | undefined {
  if (isDnsLabel(value)) return undefined;
  return {
    problem: `"${value}" is not a DNS label`,
    cure: didYouMean(
      value.toLowerCase().replaceAll(/[_.\s]/g, "-"),
      isDnsLabel,
      "use up to 63 small letters, digits and hyphens, with no hyphen at either end",
    ),
  };
}

/** Refuses what is no DNS name in lower case; the dot at its end is left out. */
export function judgeDnsName(value: string): Complaint | undefined {
  if (isDnsName(value)) return undefined;
  if (ipaddr.isValid(value)) {
    return { problem: `"${value}" is an address, not a DNS name`, cure: "give a name" };
  }
  return {
    problem: `"${value}" is not a DNS name`,
    cure: didYouMean(
      value.toLowerCase().replaceAll("_", "-").replace(/\.$/, ""),
      isDnsName,
      "join by dots labels of small letters, digits and hyphens, 253 characters at most",
    ),
  };
}

function isDnsName(value: string): boolean {
  return value.length <= 253 && !ipaddr.isValid(value) && value.split(".").every(isDnsLabel);
}

/** Refuses what can't be a login name on Linux. */
export function judgeUserName(value: string): Complaint | undefined {
  if (USER.test(value)) return undefined;
  return {
    problem: `"${value}" is not a user's name`,
    cure: "give the login name only, for instance ops",
  };
}

/** Refuses what can't be a network interface on Linux. */
export function judgeInterfaceName(value: string): Complaint | undefined {
  if (INTERFACE.test(value)) return undefined;
  return {
    problem: `"${value}" is not the name of a network interface`,
    cure: "give a name as `ip link` shows it, for instance eth0",
  };
}

/** Refuses what is no namespace and name of a workload. */
export function judgeWorkload(value: string): Complaint | undefined {
  const [namespace = "", name = "", ...rest] = value.split("/");
  if (isDnsLabel(namespace) && isDnsName(name) && rest.length === 0) return undefined;
  return {
    problem: `"${value}" is not a workload`,
    cure: "give its namespace and its name, for instance kube-system/coredns",
  };
}

/** Refuses what is no name of a flag, or has something in front or behind. */
export function judgeFlagName(value: string): Complaint | undefined {
  if (FLAG.test(value)) return undefined;
  const bare = value.replace(/^-+/, "").replace(/(=.*|\+)$/s, "");
  return {
    problem: `"${value}" is not a flag's name`,
    cure: FLAG.test(bare)
      ? `did you mean ${bare}?`
      : "give the flag's name in small letters, without dashes in front",
  };
}

/** Refuses an empty text. */
export function judgeNotEmpty(value: string): Complaint | undefined {
  if (value.trim() !== "") return undefined;
  return { problem: "is empty", cure: "give a value or leave the key out" };
}

function didYouMean(guess: string, isRight: (value: string) => boolean, rule: string): string {
  return isRight(guess) ? `did you mean "${guess}"?` : rule;
}
