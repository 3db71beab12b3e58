/**
 * Random statecharts: nested, parallel, final and history states, guards on a counter, `after`, `always`,
 * `onDone`, `raise` at once and later, `cancel`. Every loop ends, because what goes round by itself
 * counts, and its guard looks at the count.
 */
import fc from "fast-check";
import {
  type AnyStateMachine,
  assign,
  cancel,
  enqueueActions,
  type MachineConfig,
  raise,
  setup,
} from "xstate";

export const CHART_EVENTS = ["E0", "E1", "E2", "E3"] as const;

const ROUNDS_MAX = 6;

interface ChartContext {
  readonly count: number;
  readonly noted?: number | undefined;
}
interface ChartEvent {
  readonly type: string;
}

const raiseWhileFew = enqueueActions<
  ChartContext,
  ChartEvent,
  ChartEvent,
  ChartEvent,
  never,
  never,
  never,
  never
>(({ context, enqueue }, { type }) => {
  enqueue.assign({ count: context.count + 1 });
  if (context.count < ROUNDS_MAX) enqueue.raise({ type });
});

const vocabulary = setup({
  types: {} as { context: ChartContext; events: ChartEvent },
  guards: {
    isEven: ({ context }) => context.count % 2 === 0,
    isBelow: ({ context }, { limit }: { limit: number }) => context.count < limit,
    isNever: () => false,
  },
  actions: {
    tell: () => undefined,
    count: assign({ count: ({ context }) => context.count + 1 }),
    note: assign({ noted: ({ context }) => (context.count % 3 === 0 ? undefined : context.count) }),
    raiseWhileFew,
    raiseAtOnce: raise({ type: "E3" }),
    raiseLater: raise({ type: "E1" }, { delay: ({ context }) => 10 + context.count, id: "nag" }),
    cancelLater: cancel("nag"),
  },
});

const PURE = ["count", "note", "raiseLater", "cancelLater"] as const;
const action = fc.oneof(
  fc.constantFrom(...PURE),
  fc.record({ type: fc.constant("tell"), params: fc.record({ n: fc.nat(9) }) }),
  fc.constant({ type: "tell", params: ({ context }: { context: object }) => ({ ...context }) }),
);
const guard = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom("isEven", "isNever"),
  fc.record({ type: fc.constant("isBelow"), params: fc.record({ limit: fc.nat(5) }) }),
);
const transition = fc.record({
  /** Which state, of all; none for a transition that stays. */
  to: fc.option(fc.nat(), { nil: undefined }),
  guard,
  reenter: fc.boolean(),
  actions: fc.array(action, { maxLength: 2 }),
});

interface Plan {
  readonly kind: "atomic" | "compound" | "parallel" | "final";
  readonly on: readonly (TransitionPlan & { readonly event: number; readonly raises: boolean })[];
  readonly after: TransitionPlan | undefined;
  readonly always: number | undefined;
  readonly done: TransitionPlan | undefined;
  readonly history: "shallow" | "deep" | undefined;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly children: readonly Plan[];
}
type TransitionPlan = typeof transition extends fc.Arbitrary<infer Shape> ? Shape : never;

function planOf(kind: fc.Arbitrary<Plan["kind"]>, children: fc.Arbitrary<readonly Plan[]>) {
  return fc.record({
    kind,
    on: fc.array(
      transition.chain((each) =>
        fc.record({ event: fc.nat(3), raises: fc.boolean() }).map((more) => ({ ...each, ...more })),
      ),
      { maxLength: 3 },
    ),
    after: fc.option(transition, { nil: undefined }),
    always: fc.option(fc.nat(), { nil: undefined, freq: 5 }),
    done: fc.option(transition, { nil: undefined }),
    history: fc.constantFrom(undefined, "shallow", "deep"),
    entry: fc.array(action, { maxLength: 2 }),
    exit: fc.array(action, { maxLength: 2 }),
    children,
  }) as fc.Arbitrary<Plan>;
}

const leaf = planOf(
  fc.constantFrom("atomic", "atomic", "atomic", "final"),
  fc.constant([] as readonly Plan[]),
);

function branch(levels: number): fc.Arbitrary<Plan> {
  const below = levels === 1 ? leaf : fc.oneof(leaf, branch(levels - 1));
  const children = fc.array(below, { minLength: 2, maxLength: 3 });
  return planOf(fc.constantFrom("compound", "compound", "parallel"), children);
}

/** A chart as its config, which a failing test can print. */
export type ChartConfig = Parameters<typeof vocabulary.createMachine>[0];

/** The root has no `after` or `always` of its own, and nothing happens when it ends. */
export const randomChart: fc.Arbitrary<ChartConfig> = branch(3).map((plan) => {
  const ids: string[] = [];
  nameAll(plan, "r", ids);
  const root = { ...plan, after: undefined, always: undefined, done: undefined };
  return { ...configOf(root, "r", ids), context: { count: 0 } } as unknown as ChartConfig;
});

export function chartOf(config: ChartConfig): AnyStateMachine {
  return vocabulary.createMachine(config);
}

/** An id is its parent's id and a digit, or an "h" for the history. */
function nameAll(plan: Plan, id: string, ids: string[]): void {
  for (const [index, child] of plan.children.entries()) {
    ids.push(`${id}${index}`);
    nameAll(child, `${id}${index}`, ids);
  }
  if (plan.children.length > 0 && plan.history !== undefined) ids.push(`${id}h`);
}

type Config = Partial<
  MachineConfig<never, never, never, never, never, never, never, never, never, never>
>;

function configOf(plan: Plan, id: string, ids: readonly string[]): Config {
  const { kind, history, children } = plan;
  const isBranch = children.length > 0;
  const states: Record<string, unknown> = Object.fromEntries(
    children.map((child, index) => [`${id}${index}`, configOf(child, `${id}${index}`, ids)]),
  );
  if (isBranch && history !== undefined)
    states[`${id}h`] = { id: `${id}h`, type: "history", history };
  const common = { id, entry: plan.entry, exit: plan.exit };
  if (kind === "final") return { ...common, type: "final" } as never;
  return {
    ...common,
    ...(isBranch && { states }),
    ...(kind === "parallel" && { type: "parallel" }),
    ...(kind === "compound" && { initial: `${id}${plan.on.length % children.length}` }),
    ...(isBranch && plan.done !== undefined && { onDone: counted(transitionOf(plan.done, ids)) }),
    ...(plan.after !== undefined && { after: { 500: transitionOf(plan.after, ids) } }),
    ...(plan.always !== undefined && { always: alwaysTo(plan.always, ids) }),
    on: onOf(plan, ids),
  } as never;
}

function onOf(plan: Plan, ids: readonly string[]): Record<string, unknown[]> {
  const on: Record<string, unknown[]> = {};
  for (const each of plan.on) {
    const built = transitionOf(each, ids);
    // What E3 does raises nothing, so that raising it at once always comes to an end.
    const raised = each.event === 3 ? [] : raises(each);
    (on[`E${each.event}`] ??= []).push({ ...built, actions: [...built.actions, ...raised] });
  }
  return on;
}

function raises({ raises: isRaising, event }: Plan["on"][number]): unknown[] {
  if (!isRaising) return [];
  return event === 0
    ? ["raiseAtOnce"]
    : [{ type: "raiseWhileFew", params: { type: `E${event - 1}` } }];
}

function transitionOf(plan: TransitionPlan, ids: readonly string[]) {
  const { to, guard: when, reenter, actions } = plan;
  return {
    ...(to !== undefined && { target: `#${ids[to % ids.length]}` }),
    ...(when !== undefined && { guard: when }),
    reenter,
    actions,
  };
}

/** Finishing may lead to finishing again; it counts, and stops when it has gone round enough. */
function counted(built: ReturnType<typeof transitionOf>) {
  const limit = { type: "isBelow", params: { limit: ROUNDS_MAX } };
  return { ...built, guard: limit, actions: [...built.actions, "count"] };
}

function alwaysTo(to: number, ids: readonly string[]) {
  return {
    target: `#${ids[to % ids.length]}`,
    guard: { type: "isBelow", params: { limit: (to % 4) + 1 } },
    actions: "count",
  };
}
