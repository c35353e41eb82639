import { expect, test } from "vitest";
import { parseDelivery } from "../src/shell/log-reader.ts";

test.each([
  [
    "$JS.ACK.WEFT_default_0.weft-a.1.42.7.1700000000123456789.3",
    { seq: 42, stampMs: 1_700_000_000_123, pending: 3 },
  ],
  [
    "$JS.ACK._.hash.WEFT_default_0.weft-a.1.42.7.1700000000123456789.0.token",
    { seq: 42, stampMs: 1_700_000_000_123, pending: 0 },
  ],
  [
    "$JS.ACK.hub.hash.WEFT_default_0.weft-a.1.9007199254740991.7.1700000000123456789.0",
    { seq: Number.MAX_SAFE_INTEGER, stampMs: 1_700_000_000_123, pending: 0 },
  ],
])("the delivery %s is read", (reply, delivery) => expect(parseDelivery(reply)).toEqual(delivery));

test.each([
  undefined,
  "",
  "_INBOX.a",
  "$JS.ACK.stream.consumer.1.2.3.4",
  "$JS.ACK.a.b.c.d.e.f.g.h",
  "$JS.ACK.stream.consumer.1.x.3.1700000000123456789.0",
  "$JS.ACK.stream.consumer.1.2.3..0",
])("what is no delivery is not taken for one: %s", (reply) => expect(parseDelivery(reply)).toBeNull());
