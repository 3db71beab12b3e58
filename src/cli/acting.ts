/** Operators' actions from the command line: what they work with, for as long as a command runs. */
import type { Acting } from "../engine/act/acting.ts";
import { limitsOf } from "../engine/limits.ts";
import type { Operator } from "../engine/act/action.ts";
import { askingFor } from "../engine/serviceability.ts";
import { withFrontDoor } from "./awaited-answer.ts";
import { schemasOf } from "./configured-machines.ts";
import { operatorOf, type ReasonFlags, reasonOf } from "./operator.ts";
import type { Session } from "./session.ts";

export async function withActing<Result>(
  session: Session,
  use: (acting: Acting) => Promise<Result>,
): Promise<Result> {
  const { store, machines, clocks, config } = session;
  return withFrontDoor(session, (frontDoor) =>
    use({
      store,
      machines,
      clocks,
      frontDoor,
      schemas: schemasOf(machines),
      limits: limitsOf(config),
      asksAbout: askingFor(config.autoAccept),
    }),
  );
}

/** Whoever works at the command line may act on everything. */
export function operatorFrom(flags: ReasonFlags): Operator {
  return { actor: operatorOf(flags), reason: reasonOf(flags) };
}
