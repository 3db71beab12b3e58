/** The API for people: one page of HTML, made from the table of routes. It loads nothing from anywhere. */
import { createHash } from "node:crypto";
import { type Parameter, parametersOf } from "./open-api.ts";
import type { RouteDescription } from "./route.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); padding: 0.6rem; overflow-x: auto; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2rem 0 0; }
table { border-collapse: collapse; width: 100%; margin: 0.6rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0; border-top: 1px solid var(--line); }
th { white-space: nowrap; }
.scope { opacity: 0.75; font-size: 0.9em; }
`;

/** Scripts, frames, forms and everything from elsewhere are off; the one style is known by its digest. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function docsPage(routes: readonly RouteDescription[]): string {
  const groups = [...new Set(routes.map(({ group }) => group))];
  const contents = routes.map(
    (route) =>
      `<li><a href="#${anchorOf(route)}"><code>${nameOf(route)}</code></a> ${html(route.summary)}</li>`,
  );
  const sections = groups.map((group) => {
    const parts = routes.filter((route) => route.group === group).map(routePart);
    return `<section><h2>${html(group)}</h2>${parts.join("")}</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Orderwright HTTP API</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Orderwright HTTP API</h1>
<p>An API key comes as <code>authorization: Bearer ow_…</code> or <code>x-api-key</code>. <code>admin</code> has every scope in it, and <code>items:operate</code> has <code>items:read</code>. Until the first key is made, this machine itself needs none.</p>
<p>Errors are problem details (RFC 9457) with a stable <code>code</code>. The same as a document for programs: <a href="/openapi.json">/openapi.json</a>.</p>
<ul>${contents.join("")}</ul>
${sections.join("\n")}
</body>
</html>
`;
}

function routePart(route: RouteDescription): string {
  const parameters = parametersOf(route);
  return `
<h3 id="${anchorOf(route)}"><code>${nameOf(route)}</code></h3>
<p>${html(route.summary)}. <span class="scope">${scopeText(route)}</span></p>
<p>${marked(route.description)}</p>
${parameters.length === 0 ? "" : tableOf(["Parameter", "Value", ""], parameters.map(parameterRow))}
${tableOf(["Status", ""], route.answers.map(answerRow))}
${example(route)}`;
}

function scopeText({ scope }: RouteDescription): string {
  return scope === "public" ? "Open to all." : `Needs the scope <code>${html(scope)}</code>.`;
}

function parameterRow({ name, in: place, description, schema }: Parameter): readonly string[] {
  const where = place === "query" ? "" : ` (${place})`;
  return [`<code>${html(name)}</code>${where}`, valueText(schema), marked(description)];
}

function valueText(schema: Parameter["schema"]): string {
  const { enum: values, type, format, default: usual } = schema;
  const named = [format, type].find((word) => typeof word === "string") ?? "";
  const kind = Array.isArray(values) ? values.join(", ") : named;
  return html(usual === undefined ? kind : `${kind}; ${JSON.stringify(usual)} when left out`);
}

function answerRow({
  status,
  description,
}: RouteDescription["answers"][number]): readonly string[] {
  return [String(status), marked(description)];
}

function example({ method, path, scope }: RouteDescription): string {
  const url = `http://127.0.0.1:3100${path.replace("{id}", path.includes("orders") ? "ORDER-1" : "ITEM-1")}`;
  const key = scope === "public" ? "" : ` -H "x-api-key: $ORDERWRIGHT_KEY"`;
  const call =
    method === "POST"
      ? `curl ${url}${key} -H 'content-type: application/json' -d @event.json`
      : `curl ${path.endsWith("/feed") ? "-N " : ""}${url}${key}`;
  return `<pre>${html(call)}</pre>`;
}

function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

function nameOf({ method, path }: RouteDescription): string {
  return html(`${method} ${path}`);
}

function anchorOf({ method, path }: RouteDescription): string {
  return `${method}${path}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/-$/, "");
}

/** Text with `code` in it. */
function marked(text: string): string {
  return html(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function html(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
