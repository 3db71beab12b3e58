import { expect, test } from "vitest";
import { EngineError } from "../../src/core/errors.ts";
import { createLogger } from "../../src/logger.ts";

function logged(fields: object): string {
  const lines: string[] = [];
  createLogger("info", { write: (line) => lines.push(line) }).info(fields, "tried");
  return lines.join("");
}

test.each([
  ["bare", { apiKey: "s3cret" }],
  ["in an account", { account: { name: "a", apiKey: "s3cret" } }],
  ["in a list of accounts", { config: { accounts: [{ apiKey: "s3cret" }] } }],
  ["in the list alone", { accounts: [{ apiKey: "s3cret" }] }],
  ["in headers", { headers: { "x-api-key": "s3cret" } }],
  [
    "in a request's headers",
    { request: { headers: { "x-api-key": "s3cret", authorization: "s3cret" } } },
  ],
])("an API key %s is not logged", (_, fields) => {
  expect(logged(fields)).not.toContain("s3cret");
});

test("a line tells level, time and an error's code", () => {
  const line: unknown = JSON.parse(logged({ err: new EngineError("CONFIG_INVALID", "1 fault") }));
  expect(line).toMatchObject({
    level: "info",
    msg: "tried",
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    err: { code: "CONFIG_INVALID" },
  });
});

test("what a client hangs onto its errors is not logged, nor what messages quote", () => {
  const reply = Object.assign(new Error("OOM command not allowed"), {
    command: { name: "evalsha", args: ["Ada Canary"] },
    rawPacket: Buffer.from("Ada Canary"),
  });
  const cause = new SyntaxError(`Unexpected token 'A', "Ada Canary" is not valid JSON`);
  const unknown = new Error("ERR unknown command 'X', with args beginning with: 'Ada Canary' ");
  const joined = new AggregateError([unknown], "all failed");
  const text = logged({ err: new Error("outer", { cause }) }) + logged({ err: reply });
  expect(text + logged({ err: joined })).not.toContain("Canary");
  expect(text).toContain("OOM command not allowed");
  expect(text).toContain("logger.test.ts");
});
