/**
 * Who may come in: an API key, as `Authorization: Bearer` or `x-api-key`, and what it may do.
 *
 * Always true: a route that needs a scope runs only for a key that has it. While no key was ever made,
 * this machine itself is let in and nobody else; the first key closes that door for ever. When Redis does
 * not say which of the two it is, nobody is let in. A key is never logged and never repeated in an answer.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Grant, KeyCheck, KeyFault, Scope } from "../core/grant.ts";
import type { Logger } from "../logger.ts";
import { plainProblem, sendProblem, unavailable } from "./problem-details.ts";

/** What a door asks of whoever keeps the keys. */
export interface DoorKeys {
  /** Whether any key was ever made. Rejects when nobody can tell. */
  readonly hasKeys: () => Promise<boolean>;
  /** Rejects when nobody can tell. */
  readonly check: (text: string) => Promise<KeyCheck>;
  /** Counts one request more of the key. */
  readonly permit: (
    grant: Grant,
  ) => Promise<
    { readonly outcome: "granted" } | { readonly outcome: "wait"; readonly retryAfterMs: number }
  >;
}

/** What a route needs: a scope, or nothing at all. */
export type RouteScope = Scope | "public";

export interface AccessOptions {
  readonly keys: DoorKeys;
  /** Of a route that is in no table it should say "admin". */
  readonly scopeOf: (request: FastifyRequest) => RouteScope;
  readonly log: Pick<Logger, "warn">;
}

/** While no key was ever made, whoever works on this machine may do everything. */
const LOCAL: Grant = { keyId: "local", name: "this machine", scopes: ["admin"], perMinute: null };

interface Admitted {
  readonly grant: Grant;
  /** Asks the door anew. */
  readonly ask: () => Promise<Answer>;
}

const ADMITTED = new WeakMap<FastifyRequest, Admitted>();

/** An `onRequest` hook: comes before anything else of the request is looked at. */
export function accessHook(
  options: AccessOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    // Nothing is behind a path that is not there; the answer is the same for everybody.
    if (request.is404) return;
    const scope = options.scopeOf(request);
    if (scope === "public") return;
    const answer = await answerTo(options, request, scope);
    if (answer.outcome !== "allowed") return refuse(reply, answer);
    const ask = () => answerTo(options, request, scope);
    ADMITTED.set(request, { grant: answer.grant, ask });
  };
}

/** Of a request that the hook let in. */
export function grantOfRequest(request: FastifyRequest): Grant {
  return admitted(request).grant;
}

/**
 * Whether the hook would turn the request away now, for an answer that goes on for hours. It counts as
 * one request of the key. While nobody can tell, whoever is in stays in.
 */
export async function isTurnedAway(request: FastifyRequest): Promise<boolean> {
  const { outcome } = await admitted(request).ask();
  return outcome === "no-key" || outcome === "forbidden";
}

function admitted(request: FastifyRequest): Admitted {
  const found = ADMITTED.get(request);
  if (found === undefined) throw new TypeError("a public route has no grant");
  return found;
}

/** Whoever acts on items sees them: a refused act tells how the item stands, and nobody acts blindly. */
const HELD_IN: Readonly<Record<Scope, readonly Scope[]>> = {
  "events:write": ["events:write", "admin"],
  "items:read": ["items:read", "items:operate", "admin"],
  "items:operate": ["items:operate", "admin"],
  admin: ["admin"],
};

export type Use = "allowed" | "scope-missing" | "account-foreign";

/**
 * `account`: of the item that is meant, null when it has none. Left out, it is not known yet: whoever
 * finds the item asks again.
 */
export function mayUse(grant: Grant, scope: Scope, account?: string | null): Use {
  const hasScope = HELD_IN[scope].some((holder) => grant.scopes.includes(holder));
  if (!hasScope) return "scope-missing";
  const isBound = grant.account !== undefined && account !== undefined;
  return isBound && grant.account !== account ? "account-foreign" : "allowed";
}

export type Shown =
  | { readonly is: "nothing" }
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "unclear" };

/** What is shown as a key. Never throws. */
export function shownKey(headers: {
  readonly authorization?: string | string[] | undefined;
  readonly "x-api-key"?: string | string[] | undefined;
}): Shown {
  const { authorization, "x-api-key": other } = headers;
  if (Array.isArray(authorization) || Array.isArray(other)) return { is: "unclear" };
  // Another scheme is between the client and a proxy in front of us.
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  const text = bearer ?? other;
  if (text === undefined) {
    return /^Bearer\b/i.test(authorization ?? "") ? { is: "unclear" } : { is: "nothing" };
  }
  return bearer !== undefined && other !== undefined && bearer !== other
    ? { is: "unclear" }
    : { is: "text", text };
}

type Refusal =
  | { readonly outcome: "no-key"; readonly detail: string; readonly isShown: boolean }
  | { readonly outcome: "forbidden"; readonly detail: string; readonly scope: Scope }
  | { readonly outcome: "too-many"; readonly detail: string; readonly retryAfterMs: number }
  | { readonly outcome: "unknowable" };

type Answer = { readonly outcome: "allowed"; readonly grant: Grant } | Refusal;

async function answerTo(
  { keys, log }: AccessOptions,
  request: FastifyRequest,
  scope: Scope,
): Promise<Answer> {
  const shown = shownKey(request.headers);
  if (shown.is === "unclear") return { outcome: "no-key", detail: UNCLEAR, isShown: true };
  try {
    return shown.is === "text"
      ? await answerToKey(keys, shown.text, scope)
      : await answerToNobody(keys, isFromHere(request));
  } catch (error) {
    log.warn({ err: error }, "nobody could say what an API key may do; the client is sent away");
    return { outcome: "unknowable" };
  }
}

async function answerToKey(keys: DoorKeys, text: string, scope: Scope): Promise<Answer> {
  const checked = await keys.check(text);
  if (checked.standing !== "good") {
    return { outcome: "no-key", detail: FAULTS[checked.standing], isShown: true };
  }
  const { grant } = checked;
  const permit = await keys.permit(grant);
  if (permit.outcome === "wait") {
    const detail = `API key ${grant.keyId} has used its ${grant.perMinute} requests a minute. Nothing of this one was taken.`;
    return { outcome: "too-many", detail, retryAfterMs: permit.retryAfterMs };
  }
  // What only administrators may is about the installation, and so about every account.
  const use = scope === "admin" ? mayUse(grant, scope, null) : mayUse(grant, scope);
  if (use === "allowed") return { outcome: "allowed", grant };
  if (use === "account-foreign") {
    const detail = `API key ${grant.keyId} is bound to account "${grant.account}", and this is about all of them.`;
    return { outcome: "forbidden", detail, scope };
  }
  const detail = `API key ${grant.keyId} has not the scope ${scope}. It has ${grant.scopes.join(", ")}.`;
  return { outcome: "forbidden", detail, scope };
}

async function answerToNobody(keys: DoorKeys, isLocal: boolean): Promise<Answer> {
  if (await keys.hasKeys()) return { outcome: "no-key", detail: MISSING, isShown: false };
  if (isLocal) return { outcome: "allowed", grant: LOCAL };
  return { outcome: "no-key", detail: ELSEWHERE, isShown: false };
}

const MISSING = "This needs an API key, as the header `authorization: Bearer ow_…` or `x-api-key`.";

const ELSEWHERE =
  "No API key was made yet, so only the machine that this runs on is let in, by its loopback address and without a proxy. Make one: orderwright keys create.";

const UNCLEAR =
  "The headers hold no API key that can be read, or two different ones. Send one, as `authorization: Bearer ow_…` or `x-api-key`.";

const UNKNOWN = "There is no such API key. `orderwright keys list` has those that there are.";

const FAULTS: Readonly<Record<KeyFault, string>> = {
  malformed:
    "This is no API key: one is `ow_`, an id of 12 characters, `_` and 49 characters more.",
  mistyped: "The API key was copied wrongly: its checksum does not fit. Copy all of it once more.",
  unknown: UNKNOWN,
  expired: "The API key has expired. Rotate keys before they do; now make another one.",
  revoked: "The API key was revoked.",
  replaced: "The API key was replaced by another, and the time for both is over. Use the new one.",
};

/**
 * The connection comes from this machine, and so does the request: a proxy on it says for whom it asks,
 * and a browser that some page abroad has sent here names that page's host.
 */
export function isFromHere({
  socket,
  headers,
}: Pick<FastifyRequest, "headers"> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
}): boolean {
  const isForwarded = FORWARDED.some((name) => headers[name] !== undefined);
  const isLoopback = LOOPBACK_ADDRESS.test(socket.remoteAddress ?? "");
  return isLoopback && !isForwarded && LOOPBACK_HOST.test(headers.host ?? "");
}

const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"] as const;

const LOOPBACK_ADDRESS = /^(?:(?:::ffff:)?127(?:\.\d{1,3}){3}|::1)$/;

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

async function refuse(reply: FastifyReply, refusal: Refusal): Promise<void> {
  switch (refusal.outcome) {
    case "no-key":
      reply.header("www-authenticate", challenge(refusal.isShown ? 'error="invalid_token"' : ""));
      return sendProblem(reply, plainProblem(401, refusal.detail));
    case "forbidden":
      reply.header(
        "www-authenticate",
        challenge(`error="insufficient_scope", scope="${refusal.scope}"`),
      );
      return sendProblem(reply, plainProblem(403, refusal.detail));
    case "too-many":
      reply.header("retry-after", Math.max(1, Math.ceil(refusal.retryAfterMs / 1_000)));
      return sendProblem(reply, plainProblem(429, refusal.detail));
    case "unknowable":
      return sendProblem(reply, unavailable(UNKNOWABLE));
  }
}

const UNKNOWABLE =
  "Nobody can say now what may come in: Redis does not answer, or what it holds cannot be read. The log of the process says which. Nothing of this request was taken. Send it again.";

/** Source: https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function challenge(error: string): string {
  return error === "" ? 'Bearer realm="orderwright"' : `Bearer realm="orderwright", ${error}`;
}

/** Between looks for a Redis that is not there yet, ms. */
const TELL_AGAIN_MS = 1_000;

export interface DoorTelling extends Pick<AccessOptions, "keys"> {
  readonly log: Pick<Logger, "info" | "warn">;
  /** What the server listens on. */
  readonly host: string;
  /** Ends the wait for a Redis that says what is the case. */
  readonly signal: AbortSignal;
}

/** One line at the start, for whoever runs it should know who is let in. Never rejects. */
export async function tellDoor({ keys, log, host, signal }: DoorTelling): Promise<void> {
  const fields = { host };
  for (;;) {
    const hasKeys = await keys.hasKeys().catch(() => undefined);
    if (signal.aborted) return;
    if (hasKeys === true) return log.info(fields, "HTTP API asks everybody for an API key");
    if (hasKeys === false) return log.warn(fields, OPEN);
    await wait(TELL_AGAIN_MS, undefined, { ref: false, signal }).catch(() => undefined);
  }
}

const OPEN =
  "HTTP API is open to everybody on this machine and shut for everybody else: no API key was made yet, see `orderwright keys create`";
