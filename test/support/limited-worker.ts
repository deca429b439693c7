/** The Worker that runs beside the tests in workerd: the registry's own, with production's SQLite limits. */
import { DirectoryObject as Directory } from "../../durable-objects/directory/object.ts";
import { FeedObject as Feed } from "../../durable-objects/feed/object.ts";
import { MetricsObject as Metrics } from "../../durable-objects/metrics/object.ts";
import { PrimaryObject as Primary } from "../../durable-objects/primary/object.ts";
import { WebhooksObject as Webhooks } from "../../durable-objects/webhooks/object.ts";
import { limitSql } from "./limited-sql.ts";

export { default } from "../../workers/index.ts";

function limited(ctx: DurableObjectState): DurableObjectState {
  limitSql(ctx.storage.sql);
  return ctx;
}

export class PrimaryObject extends Primary {
  constructor(...[ctx, env]: ConstructorParameters<typeof Primary>) {
    super(limited(ctx), env);
  }
}

export class FeedObject extends Feed {
  constructor(...[ctx, env]: ConstructorParameters<typeof Feed>) {
    super(limited(ctx), env);
  }
}

export class WebhooksObject extends Webhooks {
  constructor(...[ctx, env]: ConstructorParameters<typeof Webhooks>) {
    super(limited(ctx), env);
  }
}

export class MetricsObject extends Metrics {
  constructor(...[ctx, env]: ConstructorParameters<typeof Metrics>) {
    super(limited(ctx), env);
  }
}

export class DirectoryObject extends Directory {
  constructor(...[ctx, env]: ConstructorParameters<typeof Directory>) {
    super(limited(ctx), env);
  }
}
