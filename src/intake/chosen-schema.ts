/** One of several schemas, chosen by what a value looks like, so that a fault in it is named in its place. */
import { z } from "zod";

/** `otherwise` is said of a value that looks like none of them. */
export function chosenSchema<Schema extends z.ZodType>(
  choose: (value: unknown) => Schema | undefined,
  otherwise: string,
) {
  return z.unknown().transform((value, issues): z.output<Schema> => {
    const parsed = choose(value)?.safeParse(value);
    if (parsed?.success) return parsed.data;
    const faults = parsed?.error.issues ?? [{ path: [], message: otherwise }];
    for (const { path, message } of faults) issues.addIssue({ code: "custom", path, message });
    return z.NEVER;
  });
}

/** The schema of the first key that the object has. */
export function schemaByKey<Schema extends z.ZodType>(
  value: unknown,
  schemas: Readonly<Record<string, Schema>>,
): Schema | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(schemas).find(([key]) => Object.hasOwn(value, key))?.[1];
}
