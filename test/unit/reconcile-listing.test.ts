import { expect, test } from "vitest";
import type { JsonValue } from "../../src/core/event.ts";
import { readItemReply, readPage } from "../../src/offergrid/item-listing.ts";
import type { Reply } from "../../src/offergrid/reply.ts";

function reply(body: JsonValue, status = 200): Reply {
  return { kind: "response", status, body, rateLimit: {} };
}

const ITEM = { id: "i1", status: "accepted", notes: null, extra: [1] };

test("a list is read whether it is bare, paged by number or paged by cursor", () => {
  const items = [{ id: "i1", status: "accepted" }];
  expect(readPage(reply([ITEM, "noise"]))).toEqual({ items });
  expect(readPage(reply({ data: [ITEM], nextCursor: "100" }))).toEqual({
    items,
    next: { cursor: "100" },
  });
  expect(readPage(reply({ data: [ITEM], nextCursor: null }))).toEqual({ items });
  const page = { data: [ITEM], page: 2, limit: 1, total: 3 };
  expect(readPage(reply(page))).toEqual({ items, next: { page: "3", limit: "1" } });
  expect(readPage(reply({ ...page, page: 3 }))).toEqual({ items });
  expect(readPage(reply({ ...page, data: [] }))).toEqual({ items: [] });
});

test("what shows no list is no empty list", () => {
  for (const each of [reply("<html>"), reply({ status: "ok" }), reply([], 502)]) {
    expect(readPage(each)).toBeUndefined();
  }
});

test("an item is read bare or wrapped, and only when it is the one that was asked for", () => {
  const item = { id: "i1", status: "accepted" };
  expect(readItemReply(reply(ITEM), "i1")).toEqual({ kind: "item", item });
  expect(readItemReply(reply({ status: "success", data: ITEM }), "i1")).toEqual({
    kind: "item",
    item,
  });
  expect(readItemReply(reply({ status: "accepted" }), "i1")).toEqual({ kind: "item", item });
  expect(readItemReply(reply(ITEM), "i2")).toEqual({ kind: "unread" });
  expect(readItemReply(reply({ message: "Not found" }, 404), "i1")).toEqual({ kind: "none" });
  expect(readItemReply(reply("down", 502), "i1")).toEqual({ kind: "unread" });
});
