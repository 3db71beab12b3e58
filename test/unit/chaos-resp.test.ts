import fc from "fast-check";
import { expect, test } from "vitest";
import { messageReader } from "../../src/chaos/resp.ts";

interface Sample {
  readonly bytes: string;
  readonly type: string;
  readonly words?: readonly string[];
}

const SAMPLES: readonly Sample[] = [
  { bytes: "+OK\r\n", type: "+" },
  { bytes: "-OOM command not allowed\r\n", type: "-" },
  { bytes: ":-7\r\n", type: ":" },
  { bytes: "_\r\n", type: "_" },
  { bytes: ",1.5\r\n", type: "," },
  { bytes: "$-1\r\n", type: "$", words: [""] },
  { bytes: "$0\r\n\r\n", type: "$", words: [""] },
  { bytes: "*-1\r\n", type: "*" },
  { bytes: "*0\r\n", type: "*" },
  { bytes: "$9\r\na\r\n$5\r\nb*\r\n", type: "$", words: ["a\r\n$5\r\nb*"] },
  { bytes: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", type: "*", words: ["GET", "k"] },
  { bytes: "*3\r\n*2\r\n:1\r\n$1\r\na\r\n~1\r\n#t\r\n$1\r\nb\r\n", type: "*", words: ["a", "b"] },
  { bytes: "%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n%0\r\n", type: "%" },
  { bytes: ">2\r\n$7\r\nmessage\r\n=5\r\ntxt:x\r\n", type: ">", words: ["message", "txt:x"] },
  { bytes: "|1\r\n+ttl\r\n:3\r\n*1\r\n!3\r\nERR\r\n", type: "|", words: ["ERR"] },
];

test("messages are found however the stream is cut into chunks", () => {
  const samples = fc.array(fc.constantFrom(...SAMPLES), { maxLength: 20 });
  fc.assert(
    fc.property(samples, fc.infiniteStream(fc.integer({ min: 1, max: 12 })), (stream, sizes) => {
      const bytes = Buffer.from(stream.map((each) => each.bytes).join(""));
      const read = messageReader(4);
      const found: unknown[] = [];
      let ends = 0;
      for (let at = 0; at < bytes.length;) {
        const chunk = bytes.subarray(at, at + (sizes.next().value ?? 1));
        const messages = read(chunk);
        if (messages === "unreadable") throw new Error(`unreadable at ${at}`);
        for (const { type, words, endsAt } of messages) {
          found.push({ type, words, end: at + endsAt });
        }
        at += chunk.length;
      }
      const expected = stream.map(({ bytes: text, type, words = [] }) => {
        ends += text.length;
        return { type, words, end: ends };
      });
      expect(found).toEqual(expected);
    }),
  );
});

test.each(["PING\r\n", "*1\r\nx\r\n", "$?\r\n", "*x\r\n"])(
  "%j is no message, and nothing after it is",
  (bytes) => {
    const read = messageReader(0);
    expect(read(Buffer.from(bytes))).toBe("unreadable");
    expect(read(Buffer.from("+OK\r\n"))).toBe("unreadable");
  },
);

test("words are cut to what is worth keeping", () => {
  const script = "x".repeat(5000);
  const read = messageReader(2);
  const bytes = Buffer.from(`*3\r\n$4\r\nEVAL\r\n$5000\r\n${script}\r\n$1\r\n1\r\n`);
  expect(read(bytes.subarray(0, 150))).toEqual([]);
  expect(read(bytes.subarray(150))).toMatchObject([{ words: ["EVAL", "x".repeat(200)] }]);
});
