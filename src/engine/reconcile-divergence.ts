/**
 * A disagreement that a comparison found becomes a fact of the item, and so does its end.
 *
 * Always true: each is one decision that is written only if nothing has happened to the item since it was
 * compared. It leaves the status alone and pushes nothing; a person is asked once for each thing that the
 * marketplace says. What the CRM says is none of the comparison's business.
 */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { Engine } from "./engine.ts";
import type { Ours } from "./reconcile-explain.ts";
import { decide, type Found, type Repair, revisionOf } from "./reconcile-repair.ts";

const SIDE = "marketplace";

type Known = Extract<Ours, { readonly state: "known" }>;

/** `undefined` when there is nothing to say: it is known already, or the item has ended. */
export async function settleDivergence(engine: Engine, found: Found): Promise<Repair | undefined> {
  const { difference, looked } = found;
  const { itemId, ours } = looked;
  // A machine that is not told of divergences has none; what has ended takes no facts any more.
  if (ours.state !== "known" || ours.isFinal || !ours.isDivergenceTaken) return undefined;
  const event = factOf(found, ours, engine.now());
  if (event === undefined) return undefined;
  const { read } = found;
  const done = await decide(engine, { itemId, read, events: [event] });
  if (done.outcome !== "repaired") return done;
  const how = difference.kind === "same" ? "both say the same again" : "a person was asked";
  return { outcome: "repaired", how };
}

function factOf({ difference, looked, read }: Found, ours: Known, now: number) {
  const says = saidBy(looked.theirs);
  if (difference.kind === "divergent" && says !== undefined && ours.claim !== says) {
    const data = { side: SIDE, status: says, reason: difference.sentence };
    return fact("order.diverged", { ...looked, data, id: `${revisionOf(read.text)}:${says}`, now });
  }
  if (difference.kind === "same" && ours.claim !== undefined) {
    const data = { side: SIDE };
    return fact("order.converged", { ...looked, data, id: revisionOf(read.text), now });
  }
  return undefined;
}

/** The status alone, unless that is ours too and it is the appointment that differs. */
function saidBy(theirs: Found["looked"]["theirs"]): string | undefined {
  if (theirs.state !== "shown") return undefined;
  const { status, scheduledFor } = theirs.item;
  const isDated = status === "scheduled" && scheduledFor !== undefined;
  return (isDated ? `${status} for ${scheduledFor}` : status).slice(0, STATUS_MAX);
}

/** Characters: as much as an event may give as a status. */
const STATUS_MAX = 256;

interface Fact {
  readonly itemId: string;
  readonly account: string;
  readonly id: string;
  readonly data: ArrivedEvent["data"];
  readonly now: number;
}

function fact(type: string, { itemId, account, id, data, now }: Fact): ArrivedEvent {
  return {
    specversion: "1.0",
    id: `drift:${itemId}:${id}`.slice(-ID_MAX),
    // Not the webhooks' own source: one that is late would be taken for older than what was found here.
    source: `offergrid/${account}/drift`,
    type,
    subject: itemId,
    time: new Date(now).toISOString(),
    data,
  };
}

const ID_MAX = 256;
