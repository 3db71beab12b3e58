/** The audit journal, for administrators. */
import { z } from "zod";
import { pageAudit } from "../engine/page-audit.ts";
import { problemDetails } from "./answers.ts";
import { journalQuery } from "./parameters.ts";
import { plainProblem } from "./problem-details.ts";
import { found, readRoute } from "./route.ts";

const entry = z
  .looseObject({
    seq: z.int().describe("Its number, from 1."),
    at: z.int().describe("ms since the epoch, by Redis' clock."),
    actor: z.string().describe("Who: a person at the command line, or the name of the API key."),
    key: z.string().optional().describe("Public id of the API key."),
    claimed: z.string().optional().describe("Who behind the key, by their own word."),
    action: z.string(),
    item: z.string().optional(),
    reason: z.string(),
    detail: z.looseObject({}).optional(),
    of: z
      .int()
      .optional()
      .describe("This entry tells the outcome of the act that entry announced."),
    outcome: z.string().optional(),
    prev: z.string().describe("Hash of the entry before."),
    hash: z.string(),
  })
  .describe("What somebody was about to do, or what came of it.");

export const AUDIT_ROUTE = readRoute({
  path: "/v1/audit",
  isFreeOfPersonalData: true,
  scope: "admin",
  group: "Actions",
  summary: "The audit journal, in pages",
  description:
    "Each act of an operator is an entry before it is done, and another with its outcome. Entries are chained by their hashes; `orderwright audit verify` checks the chain.",
  query: journalQuery,
  answers: [
    {
      status: 200,
      description: "A page of entries.",
      schema: z.object({
        length: z.int().describe("Entries that the journal has now."),
        entries: z.array(entry),
        next: z.int().optional().describe("Give it back as `cursor`. Absent on the last page."),
      }),
    },
    { status: 403, description: "The key is bound to an account.", schema: problemDetails },
  ],
  answer: async (reading, { query: { first, limit, cursor }, grant }) => {
    if (grant.account !== undefined) {
      const detail = `API key ${grant.keyId} is bound to an account, and the audit journal is of all.`;
      return { outcome: "problem", problem: plainProblem(403, detail) };
    }
    return found(await pageAudit(reading, { first, limit, after: cursor }));
  },
});
