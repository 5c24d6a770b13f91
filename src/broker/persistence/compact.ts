import { readChanges } from "./change-reader.ts";
import { ChangeWriter } from "./change-writer.ts";
import type { Changes } from "./changes.ts";
import { Pending } from "./pending.ts";

/** The same changes with the later ones worked into the earlier: where a topic was retained a thousand times, once. */
export function compacted(chunks: readonly Buffer[]): Buffer {
  // Whatever they end may be on the disk, so that it ended is kept.
  const pending = new Pending(true);
  for (const chunk of chunks) readChanges(chunk, pending);
  const writer = new ChangeWriter();
  tell(pending, writer);
  return writer.take();
}

/** In an order in which what refers comes after what is referred to. */
function tell(pending: Pending, to: Changes): void {
  for (const [id, { value }] of pending.sessions) value ? to.session(id, value) : to.sessionEnded(id);
  for (const [session, rows] of pending.subscriptions)
    for (const [filter, { value }] of rows) value ? to.subscribed(session, value) : to.unsubscribed(session, filter);
  for (const [id, { value }] of pending.messages) value ? to.message(id, value) : to.messageForgotten(id);
  tellDeliveries(pending, to);
  for (const [session, rows] of pending.receipts)
    for (const [packetId, { value }] of rows)
      value ? to.received(session, packetId) : to.receiptEnded(session, packetId);
  for (const [topic, { value }] of pending.retainedMessages)
    value ? to.retained(value) : to.cleared(Buffer.from(topic, "latin1"));
}

function tellDeliveries({ deliveries }: Pending, to: Changes): void {
  for (const [id, { value }] of deliveries) {
    if (value === undefined) {
      to.finished(id);
      continue;
    }
    if (value.row) to.queued(id, value.row);
    if (value.packetId > 0) to.sent(id, value.packetId);
    if (value.released) to.released(id);
  }
}
