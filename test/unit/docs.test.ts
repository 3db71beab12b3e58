/** The documentation says nothing that the code can be seen to contradict. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { optionsSchema as orderItemOptions } from "../../machines/order-item/options.ts";
import { PAIRS } from "../../machines/order-item/pairs.ts";
import { configReference } from "../../src/config-options.ts";

const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
].map((file) => ({ file, text: readFileSync(file, "utf8") }));

function page(file: string): string {
  return readFileSync(file, "utf8");
}

/** Rows of the table under a heading: the cells of each, without the head. */
function tableUnder(file: string, heading: string): string[][] {
  const [, after = ""] = page(file).split(`\n${heading}\n`);
  const [section = ""] = after.split(/\n#+ /);
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function bare(cell: string | undefined): string {
  return (cell ?? "").replaceAll("`", "");
}

describe("every page", () => {
  test.each(PAGES)("$file links to files and sections that are there", ({ file, text }) => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(
      ([, target]) => target ?? "",
    );
    const broken = links.filter((link) => {
      const [target = "", section] = link.split("#");
      const found = target === "" ? file : path.join(path.dirname(file), target);
      if (!existsSync(found)) return true;
      return section !== undefined && !anchorsOf(page(found)).includes(section);
    });
    expect(broken).toEqual([]);
  });

  test.each(PAGES)("$file names files of the repository that are there", ({ text }) => {
    const named = [
      ...text.matchAll(/`((?:src|machines|workers|test|bench|docs)\/[\w./-]+\.(?:ts|js|lua|md))`/g),
    ].map(([, name]) => name ?? "");
    expect(named.filter((name) => !existsSync(name))).toEqual([]);
  });

  test.each(PAGES)("$file names scripts of package.json and subcommands that exist", ({ text }) => {
    const { scripts } = JSON.parse(page("package.json")) as { scripts: Record<string, string> };
    const runs = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? "");
    expect(runs.filter((name) => !(name in scripts))).toEqual([]);
    const words = [...text.matchAll(/(?:npx |`)orderwright ([a-z]+)/g)].map(
      ([, word]) => word ?? "",
    );
    expect(words.filter((word) => !subcommands().includes(word))).toEqual([]);
  });
});

function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? "")
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** As the command itself declares them. */
function subcommands(): string[] {
  const declared = page("src/cli/main.ts").matchAll(/^ {2}(\w+): \{\n {4}summary:/gm);
  return [...declared].map(([, name]) => name ?? "");
}

test("the README's table has every subcommand, in the order of --help", () => {
  const rows = tableUnder("README.md", "## Commands").map(([command]) => bare(command));
  expect(rows.map((row) => row.replace(/^orderwright /, ""))).toEqual(subcommands());
});

test("the README is read in minutes, the ARCHITECTURE in an hour", () => {
  expect(page("README.md").split("\n").length).toBeLessThanOrEqual(200);
  expect(page("ARCHITECTURE.md").split("\n").length).toBeLessThanOrEqual(400);
});

test("the configuration reference has every option with its variable and its own words", () => {
  const rows = tableUnder("docs/operations.md", "## Configuration");
  const told = rows.map(([name, variable, advice]) => [bare(name), bare(variable), advice]);
  const declared = configReference().map(({ name, variable, advice }) => [
    name,
    variable,
    advice.replaceAll("|", "\\|"),
  ]);
  expect(told).toEqual(declared);
});

test("the options of the order-item machine are all in the reference", () => {
  const rows = tableUnder("docs/operations.md", "### Options of the order-item machine");
  expect(rows.map(([name]) => bare(name))).toEqual(Object.keys(orderItemOptions.shape));
});

test("producers find every event type", () => {
  const rows = tableUnder("docs/producers.md", "## Event types");
  expect(rows.map(([type]) => bare(type))).toEqual(Object.keys(eventSchemas(1)));
});

test("producers find every legal step", () => {
  const rows = tableUnder("docs/producers.md", "## Legal steps");
  const told = rows.map(([number, from, to, event]) => [number, bare(from), bare(to), bare(event)]);
  expect(told).toEqual(PAIRS.map(({ number, from, to, event }) => [`${number}`, from, to, event]));
});

test("the tests that ARCHITECTURE.md names as guards of an invariant exist", () => {
  const named = [...page("ARCHITECTURE.md").matchAll(/`(test\/[\w./-]+\.test\.ts)` "([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(15);
  const missing = named.filter(([, file = "", name = ""]) => !page(file).includes(name));
  expect(missing.map(([whole]) => whole)).toEqual([]);
});

test("the layer table of ARCHITECTURE.md has the layers that the architecture test enforces", () => {
  const rows = tableUnder("ARCHITECTURE.md", "## Layers").map(([layer]) => bare(layer));
  const unenforced = rows
    .flatMap((row) => row.split(", "))
    .filter((layer) => !page("test/unit/architecture.test.ts").includes(layer.replace(/\/$/, "")));
  expect(unenforced).toEqual([]);
});
