/** What remains of an object once its tenant has been deleted: nothing. */

/** Deletes the object's tables, its alarm and its sockets. Only called for deleted tenants, whose names are never reused. */
export async function purgeObject(ctx: DurableObjectState): Promise<void> {
  for (const socket of ctx.getWebSockets()) socket.close(CLOSE_GOING_AWAY, "The tenant has been deleted.");
  await ctx.storage.deleteAlarm();
  await ctx.storage.deleteAll();
}

/** RFC 6455 §7.4.1. */
const CLOSE_GOING_AWAY = 1_001;

/** The part of an object that the purge calls. */
export type Purgeable = { purge(args: { v: number }): Promise<void> };
