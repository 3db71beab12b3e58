/** The SLA policy as a file: the published example, its reference table, and what readers are told. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { definitions } from "../../machines/registry.ts";
import { hintsOf } from "../../src/cli/policy-hints.ts";
import { policyText } from "../../src/cli/policy-text.ts";
import { standingOf } from "../../src/engine/policy-standing.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { POLICY_MAX_BYTES, readPolicy, textOfPolicy } from "../../src/engine/read-policy.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { openPolicy, rulesFor } from "../../src/sla/policy.ts";
import { policySchema } from "../../src/sla/policy-schema.ts";
import { HOUR_MS, testPolicy } from "../support/sla-item.ts";

const EXAMPLE = "docs/examples/sla-policy.json";
const example = readPolicy(readFileSync(EXAMPLE, "utf8"), EXAMPLE);
const machines = registerMachines(definitions({ orderItem: {} }));

function faultOf(policy: unknown): string {
  try {
    readPolicy(typeof policy === "string" ? policy : JSON.stringify(policy), "a.json");
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

describe("the example", () => {
  test("is a policy that shows what docs/sla.md says of it", () => {
    expect(example.calendars["office"]?.weekly.mon).toHaveLength(2);
    expect(example.calendars["office"]?.holidays).not.toEqual([]);
    expect(example.delayNotes?.clocks).toEqual(["install"]);
    const open = openPolicy(example);
    const own = rulesFor(open, { account: "other" }).clocks;
    const premium = rulesFor(open, { account: "premium", category: "moving" }).clocks;
    expect(own["respond"]).toMatchObject({ targetMs: 24 * HOUR_MS, ladder: "respond" });
    expect(premium["respond"]).toMatchObject({ targetMs: 4 * HOUR_MS, ladder: "default" });
    expect(Object.keys(own)).toContain("appointment");
    expect(Object.keys(premium)).not.toContain("appointment");
  });

  test("names nothing that the order-item machine does not know", () => {
    expect(hintsOf(example, { machines, marketplace: { kind: "sandbox" } })).toEqual([]);
    expect(hintsOf(DEFAULT_POLICY, { machines, marketplace: { kind: "sandbox" } })).toEqual([]);
  });
});

test("the reference of docs/sla.md has every field of the schema", () => {
  const names = propertiesOf(z.toJSONSchema(policySchema, { unrepresentable: "any" }));
  const [, section = ""] = readFileSync("docs/sla.md", "utf8").split("\n## The policy file\n");
  const [reference = ""] = section.split("\n## ");
  const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(reference));
  expect(names).toContain("maxPauseMs");
  expect(missing).toEqual([]);
});

function propertiesOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties = {}, ...others } = schema as { readonly properties?: object };
  const names = Object.keys(properties);
  return [
    ...names,
    ...[...Object.values(properties), ...Object.values(others)].flatMap(propertiesOf),
  ];
}

describe("reading", () => {
  test("lists all faults, each under its path", () => {
    const faulty = { ...testPolicy(), zone: "Mars/Base", customerHours: 7, extra: 1 };
    expect(faultOf(faulty).split("\n  ")).toEqual([
      "POLICY_INVALID: a.json is not an SLA policy. Correct the file.",
      "zone: must be an IANA zone",
      expect.stringMatching(/^customerHours: /),
      expect.stringMatching(/"extra"/),
    ]);
  });

  test("refuses what is no JSON, and what no process should have to keep", () => {
    expect(faultOf("{")).toContain("a.json is not an SLA policy. Correct the file.\n  is not JSON");
    const exception = { account: "x".repeat(64), clocks: {} };
    const many = JSON.stringify({ ...testPolicy(), exceptions: Array(20_000).fill(exception) });
    expect(many.length).toBeGreaterThan(POLICY_MAX_BYTES);
    expect(faultOf(many)).toContain(`is longer than ${POLICY_MAX_BYTES} bytes`);
  });

  test("leaves the names of defaults to the program", () => {
    expect(faultOf({ ...testPolicy(), version: "default-7" })).toContain("version: must not begin");
    expect(faultOf(DEFAULT_POLICY)).toBe("");
  });

  test("gives one text for files that differ in spaces and in the order of fields", () => {
    const { version, ...rest } = testPolicy();
    const other = JSON.stringify({ ...rest, version }, undefined, 2);
    expect(textOfPolicy(readPolicy(other, "b"))).toBe(
      textOfPolicy(readPolicy(JSON.stringify(testPolicy()), "a")),
    );
  });
});

test("hints name statuses, events and accounts that the installation does not know", () => {
  const clock = {
    ...DEFAULT_POLICY.clocks["on-site"],
    starts: [{ enters: ["in_progess"] }, { event: "work.begun" }],
  } as (typeof DEFAULT_POLICY)["clocks"][string];
  const policy = {
    ...DEFAULT_POLICY,
    clocks: { ...DEFAULT_POLICY.clocks, "on-site": clock },
    exceptions: [{ account: "acme", clocks: {} }],
  };
  expect(hintsOf(policy, { machines, marketplace: { kind: "live", accounts: [] } })).toEqual([
    'clocks.on-site.starts: no machine of this installation has a status "in_progess".',
    'clocks.on-site.starts: no machine of this installation takes an event "work.begun".',
    'exceptions.0: the account "acme" is not configured.',
  ]);
});

test("progress of an earlier change is not shown as that of this one", () => {
  const recompute = { change: "old@5+0", state: "done", looks: 9, remeasured: 4, at: 6 } as const;
  const stand = { version: example.version, setAt: 7_000, asked: 0, recompute };
  expect(standingOf(example, stand).recompute).toMatchObject({ state: "waiting", looks: 0 });
  const own = { ...recompute, change: `${example.version}@7000+0` };
  const standing = standingOf(example, { ...stand, recompute: own });
  expect(policyText(example, standing, 8_000)).toContain(
    "Recomputation: done, 9 looks at items, 4 items measured anew",
  );
});
