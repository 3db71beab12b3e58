/** The table of who may do what in docs/security.md is the one that the server is tested with. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROUTES } from "../../src/http/route-table.ts";
import { accessTable } from "../support/access-table.ts";

const BEGIN = "<!-- begin: every route and every key, from test/support/access-table.ts -->";
const END = "<!-- end: every route and every key -->";

// The table that is expected goes between the marks.
test("docs/security.md has every route with every kind of key", () => {
  const [, after = ""] = readFileSync("docs/security.md", "utf8").split(BEGIN);
  const [table = ""] = after.split(END);
  expect(table.trim()).toBe(accessTable(ROUTES));
});
