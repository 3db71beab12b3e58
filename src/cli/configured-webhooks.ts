/** The webhooks of this installation: those of its file, else those for which the environment has a secret. */
import { existsSync, readFileSync } from "node:fs";
import type { Config, Environment } from "../config.ts";
import { EngineError } from "../core/errors.ts";
import type { Adapter } from "../intake/adapter.ts";
import {
  adaptersOf,
  readWebhooks,
  typeHints,
  WEBHOOKS_FILE,
  type Webhooks,
  webhooksBySecret,
} from "../intake/webhooks.ts";
import { verifyOffergridWebhook } from "../offergrid/webhook-signature.ts";
import type { EventSchemas } from "../queue/producer.ts";
import type { RunningProcess } from "./running-process.ts";

/**
 * Adapters by name; tells in the log which there are, and of event types that no machine takes.
 * @throws EngineError CONFIG_INVALID with every fault of the file
 */
export function configuredWebhooks(
  { config, log }: Pick<RunningProcess, "config" | "log">,
  { env, schemas }: { readonly env: Environment; readonly schemas: EventSchemas },
): ReadonlyMap<string, Adapter> {
  const file = webhooksFile(config);
  const webhooks = file === undefined ? webhooksBySecret(env) : webhooksIn(file, env);
  const names = Object.keys(webhooks.sources);
  if (names.length > 0) log.info({ webhooks: names }, "webhooks are taken");
  for (const hint of typeHints(webhooks, Object.keys(schemas))) log.warn({ hint }, "webhook rule");
  return adaptersOf(webhooks, { verifyOffergrid: verifyOffergridWebhook });
}

/** Undefined when none is named and none is there. */
function webhooksFile({ webhooksFile: named }: Config): string | undefined {
  return named ?? (existsSync(WEBHOOKS_FILE) ? WEBHOOKS_FILE : undefined);
}

/** @throws EngineError CONFIG_INVALID */
export function webhooksIn(file: string, env: Environment): Webhooks {
  return readWebhooks({ text: textOf(file), from: file, env });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    throw new EngineError(
      "CONFIG_INVALID",
      `The file of webhooks cannot be read (${why}). Correct ORDERWRIGHT_WEBHOOKS_FILE, or write ${file}.`,
      { cause: error },
    );
  }
}
