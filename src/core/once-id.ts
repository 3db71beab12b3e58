/**
 * Identity of a fact that an item has but once, and that several roads tell, each in its own words and
 * with its own details: the marketplace's webhook and its list both announce an order. Under this id they
 * are one event; whichever comes first is applied, and the other is its repeat whatever it says.
 */

/** As long as an event's id may be. Beyond it an item's id is cut: identities are kept item by item. */
const ID_MAX = 256;

export function onceId({ type, subject }: { readonly type: string; readonly subject: string }) {
  return `once:${type}:${subject}`.slice(0, ID_MAX);
}
