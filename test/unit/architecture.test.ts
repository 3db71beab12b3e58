/**
 * The rules of ARCHITECTURE.md that a machine can hold people to. The table of layers is data: who
 * needs another import changes the table first, and says why.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

interface Layer {
  /** Layers whose files it may import, beside its own; "*" for all. */
  readonly layers: readonly string[];
  /** Packages and `node:` builtins; "node:*" for every builtin. */
  readonly packages: readonly string[];
}

const CONFIG_OPTIONS = "src/config-options.ts";
const CONNECTION = "src/store/connection.ts";

/** Types count as imports: whoever knows a shape depends on it. The longest matching name decides. */
const LAYERS: Readonly<Record<string, Layer>> = {
  machines: { layers: [], packages: ["xstate", "zod"] },
  "src/core": { layers: [], packages: ["xstate", "zod"] },
  // A calendar that people write has a schema.
  "src/sla": { layers: ["src/core"], packages: ["luxon", "zod"] },
  "src/store": { layers: ["src/core", CONNECTION], packages: ["ioredis", "node:*"] },
  // Where a Redis is, and how to stay connected: the queues' connections and the store's alike.
  [CONNECTION]: { layers: ["src/core"], packages: ["ioredis", "node:*"] },
  // A BullMQ queue is opened on a connection, and a shape is a zod schema.
  "src/queue": {
    layers: ["src/core", CONNECTION],
    packages: ["bullmq", "ioredis", "zod", "node:*"],
  },
  "src/offergrid": { layers: ["src/core"], packages: ["zod", "undici", "node:*"] },
  "src/offergrid/sandbox": {
    layers: ["src/offergrid", "src/core"],
    packages: ["fastify", "zod", "undici", "node:*"],
  },
  "src/notices": { layers: ["src/core"], packages: ["undici", "node:*"] },
  // A question is signed and sent as a notice is.
  "src/serviceability": { layers: ["src/core", "src/notices"], packages: ["zod"] },
  "src/intake": { layers: ["src/core"], packages: ["zod", "node:*"] },
  "src/engine": {
    layers: [
      "src/core",
      "src/sla",
      "src/store",
      "src/queue",
      "src/offergrid",
      "src/notices",
      "src/serviceability",
      "src/intake",
    ],
    packages: ["node:*"],
  },
  "src/http": {
    layers: ["src/core", "src/engine", "src/intake", "src/queue", "src/config.ts", "src/logger.ts"],
    packages: ["fastify", "@fastify/*", "zod", "pino", "node:*"],
  },
  "src/inspector": { layers: ["src/core", "src/store", "src/engine"], packages: ["node:*"] },
  // Judges what happened from the outside: it knows the words of the core and no use case.
  "src/history": { layers: ["src/core"], packages: ["node:*"] },
  "src/embedded": { layers: ["src/core"], packages: ["ioredis", "node:*"] },
  "src/config-receiver.ts": { layers: [], packages: ["zod", "node:*"] },
  "src/config-auto-accept.ts": { layers: ["src/config-receiver.ts"], packages: ["zod"] },
  [CONFIG_OPTIONS]: {
    layers: ["src/core", "src/config-receiver.ts", "src/config-auto-accept.ts"],
    packages: ["zod", "node:*"],
  },
  "src/config.ts": {
    layers: [CONFIG_OPTIONS, "src/config-receiver.ts", "src/core"],
    packages: ["zod", "node:*"],
  },
  "src/logger.ts": { layers: ["src/config.ts"], packages: ["pino"] },
  "src/telemetry.ts": {
    layers: ["src/config.ts"],
    packages: ["prom-client", "@opentelemetry/api"],
  },
  "src/lifecycle.ts": { layers: ["src/logger.ts"], packages: ["node:*"] },
  workers: {
    layers: ["src/engine", "src/queue", "src/config.ts", "src/logger.ts"],
    packages: ["bullmq", "node:*"],
  },
  // Composition roots: the places that put everything together.
  "workers/main.ts": { layers: ["*"], packages: ["bullmq", "ioredis", "node:*"] },
  "src/cli": {
    layers: ["*"],
    packages: ["commander", "bullmq", "ioredis", "undici", "zod", "pino", "node:*"],
  },
  // Starts, disturbs and watches whole deployments, with a machine and a command of their own.
  "src/chaos": {
    layers: ["*"],
    packages: ["bullmq", "commander", "ioredis", "undici", "pino", "xstate", "zod", "node:*"],
  },
  // The engine over a Redis in memory, for people's tests of their machines.
  "src/testing": { layers: ["*"], packages: ["node:*"] },
  "src/client.ts": { layers: ["*"], packages: ["bullmq", "ioredis", "zod", "node:*"] },
  "src/client": { layers: ["*"], packages: ["bullmq", "ioredis", "zod", "node:*"] },
  "src/main.ts": { layers: ["*"], packages: ["node:*"] },
};

/** Whoever may import everything takes no part in the order of layers. */
const ROOTS = Object.keys(LAYERS).filter((name) => LAYERS[name]?.layers.includes("*"));

/** Built by Vite for the browser, with rules of its own. */
const FOREIGN = ["src/inspector/web/"];

const LINES_MAX = 300;

interface Source {
  /** From the root of the repository, with forward slashes. */
  readonly file: string;
  readonly text: string;
}

function sourcesIn(folders: readonly string[], ending: string): Source[] {
  return folders
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) =>
        path.posix.join(folder, name.split(path.sep).join("/")),
      ),
    )
    .filter((file) => file.endsWith(ending) && !file.includes("node_modules/"))
    .filter((file) => !file.endsWith(`.test${ending}`))
    .filter((file) => !FOREIGN.some((folder) => file.startsWith(folder)))
    .toSorted()
    .map((file) => ({ file, text: readFileSync(file, "utf8") }));
}

const SOURCES = sourcesIn(["src", "machines", "workers"], ".ts");
const SCRIPTS = sourcesIn(["src"], ".lua");

/** The code alone: what a comment or a quoted sentence says imports nothing. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$|\s\/\/ .*$/gm, "");
}

const IMPORTS = [
  /^\s*import\s+(?:type\s+)?(?:[\w$*{][^;"']*?\sfrom\s+)?["']([^"']+)["']/gm,
  /^\s*export\s+(?:type\s+)?[*{][^;"']*?\sfrom\s+["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
];

function importsOf(text: string): string[] {
  const code = withoutComments(text);
  return IMPORTS.flatMap((pattern) => [...code.matchAll(pattern)].map(([, name]) => name ?? ""));
}

function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS)
    .filter((name) => file === name || file.startsWith(`${name}/`))
    .toSorted((left, right) => right.length - left.length)[0];
}

function packageOf(name: string): string {
  if (name.startsWith("node:")) return name;
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}

function isListed(list: readonly string[], name: string): boolean {
  return list.some((each) =>
    each.endsWith("*") ? name.startsWith(each.slice(0, -1)) : each === name,
  );
}

/** Why the file may not import that, or nothing. */
function faultOf(file: string, name: string): string | undefined {
  const from = layerOf(file);
  const layer = LAYERS[from ?? ""];
  if (from === undefined || layer === undefined) {
    return `${file} is in no layer. Move it into one, or add its layer to the table.`;
  }
  if (name.startsWith(".")) return fileFault({ file, from, layer }, name);
  if (isListed(layer.packages, packageOf(name))) return undefined;
  return `${file} imports "${name}": ${from} may use ${layer.packages.join(", ")}.`;
}

function fileFault(
  { file, from, layer }: { readonly file: string; readonly from: string; readonly layer: Layer },
  name: string,
): string | undefined {
  if (!/\.(ts|json)$/.test(name)) return `${file} imports "${name}": an import ends in .ts.`;
  const target = path.posix.join(path.posix.dirname(file), name);
  const to = layerOf(target) ?? "";
  if (to === from) return from === "machines" ? productFault(file, target) : undefined;
  if (isListed(layer.layers, to)) return undefined;
  const allowed = layer.layers.join(", ") || "no other layer";
  return `${file} imports ${target}: ${from} may import ${allowed}. Pass in what it needs, or move what is shared down.`;
}

/** machines/registry.ts knows the products; no product knows another. */
function productFault(file: string, target: string): string | undefined {
  const folder = path.posix.dirname(file);
  if (folder === "machines" || folder === path.posix.dirname(target)) return undefined;
  return `${file} imports ${target}: a product knows no other product.`;
}

/** Whether the layer can be reached from what it may import. */
function isBelow(layer: string): boolean {
  const reached = new Set(LAYERS[layer]?.layers);
  for (const each of reached) for (const next of LAYERS[each]?.layers ?? []) reached.add(next);
  return reached.has(layer);
}

describe("every file imports only what its layer may", () => {
  test("layers and packages are those of the table", () => {
    const faults = SOURCES.flatMap(({ file, text }) =>
      importsOf(text).flatMap((name) => faultOf(file, name) ?? []),
    );
    expect(faults).toEqual([]);
  });

  test("the table has no cycle between layers", () => {
    const cycles = Object.keys(LAYERS).filter((layer) => !ROOTS.includes(layer) && isBelow(layer));
    expect(cycles).toEqual([]);
  });

  test("nothing below a composition root imports it", () => {
    const faults = SOURCES.flatMap(({ file, text }) =>
      importsOf(text)
        .filter((name) => name.startsWith("."))
        .map((name) => path.posix.join(path.posix.dirname(file), name))
        .filter((target) => ROOTS.includes(layerOf(target) ?? ""))
        .filter(() => !ROOTS.includes(layerOf(file) ?? ""))
        .map((target) => `${file} imports ${target}`),
    );
    expect(faults).toEqual([]);
  });

  test("this test sees every way to import, and no comment", () => {
    const text = [
      `import a from "one";`,
      `import type { B } from "two";`,
      `import {\n  c,\n  type D,\n} from "three";`,
      `import "four";`,
      `export * from "five";`,
      `export type { E } from "six";`,
      `const f = await import("seven");`,
      `// import g from "no";`,
      ` * import h from "../no.ts"`,
      `/* import i from "no"; */`,
    ].join("\n");
    const names = ["one", "two", "three", "four", "five", "six", "seven"];
    expect(importsOf(text).toSorted()).toEqual(names.toSorted());
    expect(faultOf("src/core/a.ts", "../store/keys.ts")).toContain("may import no other layer");
    expect(faultOf("src/core/a.ts", "node:fs")).toContain("may use xstate, zod");
    expect(faultOf("machines/a/b.ts", "../order-item/events.ts")).toContain("no other product");
    expect(faultOf("src/new/a.ts", "./b.ts")).toContain("is in no layer");
    expect(faultOf("src/engine/a.ts", "../store/keys.ts")).toBeUndefined();
  });
});

describe("the core and the machines are pure", () => {
  test.each([
    ["the time of day", /\bDate\.now\b|\bnew Date\(\)|\bperformance\b/],
    ["timers", /\bset(Timeout|Interval|Immediate)\b/],
    ["the process", /\bprocess\b\s*\./],
    ["chance", /\bMath\.random\b|\bcrypto\b/],
    ["the network", /\bfetch\(/],
    ["anything that takes time", /\basync\b|\bawait\b|\bPromise\b/],
    ["the console", /\bconsole\b/],
  ])("they never ask for %s", (_what, pattern) => {
    const found = SOURCES.filter(({ file }) => /^(src\/core|machines)\//.test(file))
      .filter(({ text }) => pattern.test(withoutComments(text)))
      .map(({ file }) => file);
    expect(found).toEqual([]);
  });
});

describe("files can be read in one sitting", () => {
  test(`none is longer than ${LINES_MAX} lines`, () => {
    const long = [...SOURCES, ...SCRIPTS]
      .map(({ file, text }) => ({ file, lines: text.trimEnd().split("\n").length }))
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ file, lines }) => `${file} has ${lines} lines. Extract a piece that has a name.`);
    expect(long).toEqual([]);
  });

  test("each name says what the file is for", () => {
    const vague = /(^|[-./])(utils?|helpers?|types?|common|misc|shared|index|lib)\.(ts|lua)$/;
    const named = [...SOURCES, ...SCRIPTS].map(({ file }) => file);
    expect(named.filter((file) => vague.test(file))).toEqual([]);
    expect(named.filter((file) => !/^[a-z0-9./-]+$/.test(file))).toEqual([]);
  });
});

describe("every Lua script opens with what it does and promises", () => {
  /** Put in front of the scripts that need it; never run by itself. */
  const INCLUDES = ["src/store/lua/lane-score.lua", "src/store/lua/feed.lua"];
  const PARTS = ["Purpose", "Guarantee", "KEYS", "ARGV", "Returns"];

  test.each(SCRIPTS.filter(({ file }) => !INCLUDES.includes(file)))("$file", ({ text }) => {
    const comment = /^--\[\[([\s\S]*?)\]\]/.exec(text)?.[1] ?? "";
    const opened = [...comment.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, part]) => part);
    expect(opened).toEqual(PARTS);
  });
});
