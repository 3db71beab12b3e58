/** The machines of this installation, with the options that its configuration gives them. */
import type { Machines } from "../core/machine.ts";
import type { EventSchemas } from "../queue/producer.ts";
import { ZodError } from "zod";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import { definitions } from "../../machines/registry.ts";
import type { Config } from "../config.ts";
import type { MachineDefinition } from "../core/definition.ts";
import { EngineError } from "../core/errors.ts";

/** @throws EngineError CONFIG_INVALID with every fault of the machines' options */
export function configuredDefinitions({
  orderItem,
}: Pick<Config, "orderItem">): readonly MachineDefinition[] {
  try {
    // The machine checks its options itself: it throws a ZodError for any other shape.
    return definitions({ orderItem: orderItem as Partial<OrderItemOptions> });
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const faults = error.issues.map(
      ({ path, message }) => `${["orderItem", ...path].map(String).join(".")}: ${message}`,
    );
    const options = faults.length === 1 ? "option" : "options";
    throw new EngineError(
      "CONFIG_INVALID",
      [`Correct the ${options} of the order-item machine:`, ...faults].join("\n  "),
      { cause: error },
    );
  }
}

/** Of a type that several versions of a machine take, the newest one's: it is listed first. */
export function schemasOf({ all }: Machines): EventSchemas {
  return Object.assign({}, ...all.toReversed().map(({ events }) => events)) as EventSchemas;
}
