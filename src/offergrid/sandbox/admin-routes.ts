/**
 * The hidden hand, at /sandbox: turn switches, create items, change them behind the provider's back, read the
 * log, start over. No key is asked for: the server listens on the loopback address only and holds nothing real.
 */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { created, ok, refusal, sendAnswer, type Answer } from "./answer.ts";
import { changeBehaviour, issueText } from "./behaviour.ts";
import type { AddOutcome, OrderDraft } from "./market.ts";
import { pushReport } from "./push-report.ts";
import type { SandboxContext } from "./sandbox-context.ts";
import { itemStatusSchema } from "./status-update.ts";

/** A hundred thousand items in one POST, for benchmarks. */
const ITEMS_BODY_MAX_BYTES = 64 * 1024 * 1024;
/** Entries per answer, unless asked for fewer. */
const READ_MAX = 10_000;

const id = z.string().min(1).max(128);
const fields = z.record(z.string(), z.unknown());

const newItemSchema = z.strictObject({
  id: id.optional(),
  orderId: id.optional(),
  /** Default: the first team that provides. */
  account: id.optional(),
  reseller: id.optional(),
  offerId: id.default("off-sandbox"),
  offerName: z.string().default("Sandbox item"),
  status: itemStatusSchema.optional(),
  createdAt: z.iso.datetime({ offset: true }).optional(),
  customerInfo: fields.default({
    fullName: "John Doe",
    email: "john@example.com",
    phone: "+1-555-123-4567",
  }),
  serviceAddress: fields.default({
    street: "123 Main St",
    city: "San Francisco",
    state: "CA",
    zipCode: "94102",
    country: "US",
  }),
  notes: z.string().optional(),
  metadata: fields.optional(),
  /** False: no webhook tells the provider, who has to poll. */
  isAnnounced: z.boolean().optional(),
});
const newItemsSchema = z.union([newItemSchema.transform((item) => [item]), z.array(newItemSchema)]);

/** What somebody else made of an item, a backup that was restored for one. */
const driftSchema = z.strictObject({
  status: itemStatusSchema,
  scheduledFor: z.iso.datetime({ offset: true }).optional(),
});

const readSchema = z.object({
  itemId: z.string().optional(),
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().positive().max(READ_MAX).default(READ_MAX),
});

export interface AdminHooks {
  /** Puts the running sandbox back to how it started. */
  readonly reset: () => void;
}

export function addAdminRoutes(
  app: FastifyInstance,
  context: SandboxContext,
  hooks: AdminHooks,
): void {
  const { market, closing } = context;

  app.get("/sandbox/behaviour", () => market.behaviour);

  app.patch("/sandbox/behaviour", (request, reply) => {
    const change = changeBehaviour(market.behaviour, request.body);
    const answer =
      change.outcome === "changed" ? ok(market.behaviour) : refusal(400, change.message);
    sendAnswer(reply, answer, closing);
  });

  app.get("/sandbox/items", (request, reply) => {
    const items = [...market.items.values()];
    sendAnswer(
      reply,
      read(items, request.query, (item) => item.id),
      closing,
    );
  });

  app.get("/sandbox/log", (request, reply) => {
    sendAnswer(
      reply,
      read(market.log, request.query, (entry) => entry.itemId),
      closing,
    );
  });

  app.get("/sandbox/report", () => {
    const { sequences, ...counts } = pushReport(market.log);
    return { ...counts, sequences: Object.fromEntries(sequences), counters: market.counters };
  });

  app.post("/sandbox/items", { bodyLimit: ITEMS_BODY_MAX_BYTES }, (request, reply) => {
    sendAnswer(reply, createItems(context, request.body), closing);
  });

  app.patch<{ readonly Params: { readonly itemId: string } }>(
    "/sandbox/items/:itemId",
    (request, reply) => {
      const { itemId } = request.params;
      sendAnswer(reply, overwriteItem(context, itemId, request.body), closing);
    },
  );

  app.post("/sandbox/reset", (_request, reply) => {
    hooks.reset();
    sendAnswer(reply, ok(market.behaviour), closing);
  });
}

/** `{total, data}` of the entries of one item, or of all. */
function read<T>(entries: readonly T[], query: unknown, itemIdOf: (entry: T) => string): Answer {
  const parsed = readSchema.safeParse(query);
  if (!parsed.success) return refusal(400, issueText(parsed.error));
  const { itemId, offset, limit } = parsed.data;
  const found =
    itemId === undefined ? entries : entries.filter((entry) => itemIdOf(entry) === itemId);
  return ok({ total: found.length, data: found.slice(offset, offset + limit) });
}

/** `{created, refused}`: the items are taken one by one, so that one bad id does not stop a load. */
function createItems(context: SandboxContext, body: unknown): Answer {
  const parsed = newItemsSchema.safeParse(body);
  if (!parsed.success) return refusal(400, issueText(parsed.error));
  const refused: { readonly index: number; readonly reason: AddOutcome["outcome"] }[] = [];
  const ids = parsed.data.flatMap((item, index) => {
    const added = context.market.add(draftOf(context, item));
    if (added.outcome === "added") return added.items.map((made) => made.id);
    refused.push({ index, reason: added.outcome });
    return [];
  });
  return created({ created: ids, refused });
}

function overwriteItem({ market }: SandboxContext, itemId: string, body: unknown): Answer {
  const parsed = driftSchema.safeParse(body);
  if (!parsed.success) return refusal(400, issueText(parsed.error));
  return market.overwrite(itemId, parsed.data)
    ? ok(market.items.get(itemId))
    : refusal(404, `No item ${itemId}`);
}

function draftOf(context: SandboxContext, item: z.infer<typeof newItemSchema>): OrderDraft {
  const { id: itemId, orderId, account, offerId, offerName, status, reseller, ...order } = item;
  return {
    ...order,
    id: orderId,
    reseller: reseller ?? firstTeam(context, "reseller"),
    items: [
      {
        id: itemId,
        account: account ?? firstTeam(context, "provider"),
        offerId,
        offerName,
        status,
      },
    ],
  };
}

function firstTeam(context: SandboxContext, role: "provider" | "reseller"): string {
  const team = context.options.teams.find((each) => each.role === role || each.role === "hybrid");
  return team?.id ?? `no-${role}`;
}
