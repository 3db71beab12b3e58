/** An error that Redis would reply: named and worded as the connection hands it over. */
export function replyError(message: string): Error {
  const error = new Error(message);
  error.name = "ReplyError";
  return error;
}

export function wrongType(): Error {
  return replyError("WRONGTYPE Operation against a key holding the wrong kind of value");
}
