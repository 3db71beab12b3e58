import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/core/errors.ts";

const FILE = "docs/errors.md";

describe.skipIf(!existsSync(FILE))("docs/errors.md", () => {
  const lines = existsSync(FILE) ? readFileSync(FILE, "utf8").split("\n") : [];
  const headings = lines.flatMap((line) => /^## `?([A-Z][A-Z0-9_]+)`?\s*$/.exec(line)?.[1] ?? []);

  test("has one section per code, and no section without a code", () => {
    expect(headings.toSorted()).toEqual(ERROR_CODES.toSorted());
  });

  test("says something about each code", () => {
    const empty = headings.filter((code) => {
      const start = lines.findIndex((line) => line.startsWith("## ") && line.includes(code));
      const next = lines.findIndex((line, index) => index > start && line.startsWith("## "));
      const section = lines.slice(start + 1, next === -1 ? undefined : next);
      return section.join("").trim().length < 40;
    });
    expect(empty).toEqual([]);
  });
});

test("no code is listed twice", () => {
  expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
});
