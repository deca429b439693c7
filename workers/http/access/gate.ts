/**
 * The checks that every request passes before its handler: whether the deployment is open, who the caller is, and the
 * request limits.
 */
import { makeRefusal } from "../../../contract/errors.ts";
import { assignedAddress } from "../../access/address-range.ts";
import type { Actor, Bindings, RoutePermission } from "../../edge.ts";
import { Limiter, type Taken } from "../../limits/limiter.ts";
import { FAILURES_PER_MINUTE, VISITOR_REQUESTS_PER_MINUTE } from "../../limits/limits.ts";
import type { Settings } from "../../settings.ts";
import { localActor } from "../actor.ts";
import { RegistryError } from "../errors.ts";
import { Admission, requireOpen, visitor } from "./admission.ts";
import { callerAddress } from "./caller-address.ts";

/**
 * The parts of a request that the gate needs. The gate stores the limiter's result there, for the response headers.
 */
type Entering = {
  env: Bindings;
  settings: Settings;
  taken: Taken | undefined;
  /** Set if too many wrong credentials came from the address. */
  isLockedOut: boolean;
  now(): number;
  waitUntil(promise: Promise<unknown>): void;
};

export class Gate {
  readonly #admission = new Admission();
  readonly #limiter = new Limiter();

  /** The actor, synchronously if it is known. Throws the refusal of a caller without access. */
  enter(request: Request, entering: Entering, permission: RoutePermission | "liveness"): Actor | Promise<Actor> {
    const settings = entering.settings.access;
    if (permission === "liveness") return visitor(settings);
    requireOpen(settings);
    if (!settings.isRequired) return localActor();
    if (permission === "public") {
      this.#take(entering, `visitor/${readAddress(request, entering)}`, VISITOR_REQUESTS_PER_MINUTE);
      return visitor(settings);
    }
    const known = this.#admission.known(request, entering.now());
    if (known === undefined) return this.#resolve(request, entering);
    this.#limit(entering, known);
    return known;
  }

  /** Called after a change of keys, roles or grants, so that this isolate queries again. */
  forgetCredentials(): void {
    this.#admission.forget();
  }

  /** Takes tokens from the tenant's comparisons per minute. */
  spendComparison(entering: Entering, actor: Actor, kib: number): void {
    const quota = actor.limits?.quotas.comparedKibPerMinute ?? null;
    if (quota === null) return;
    const name = `compared/${actor.tenant}`;
    const { isAllowed, resetSeconds } = this.#limiter.take(name, quota, limitedBy(entering), kib);
    if (!isAllowed) {
      throw tooMany(
        `The tenant has used its quota of ${quota} KiB of compared schemas for this minute. Retry in ${resetSeconds} s.`,
        resetSeconds,
      );
    }
  }

  /** Takes the tokens of `count` further requests. */
  spendRequests(entering: Entering, actor: Actor, count: number): void {
    this.#limit(entering, actor, count);
  }

  async #resolve(request: Request, entering: Entering): Promise<Actor> {
    const nowMs = entering.now();
    const failures = `failures/${readAddress(request, entering)}`;
    if (!this.#limiter.hasLeft(failures, FAILURES_PER_MINUTE, nowMs)) {
      entering.isLockedOut = true;
      throw tooMany("Too many wrong credentials came from this address. Try again in a minute.", WINDOW_SECONDS);
    }
    const { env, settings } = entering;
    // A request without a credential is not a guess: clients send it to learn what is required.
    const isGuess = request.headers.has("Authorization") || request.headers.has("X-API-Key");
    if (!isGuess) this.#take(entering, `visitor/${readAddress(request, entering)}`, VISITOR_REQUESTS_PER_MINUTE);
    let actor: Actor;
    try {
      actor = await this.#admission.resolve(request, { env, settings: settings.access, nowMs });
    } catch (error) {
      if (isGuess && error instanceof RegistryError && error.refusal.error === "UNAUTHORIZED") {
        this.#limiter.take(failures, FAILURES_PER_MINUTE, limitedBy(entering));
      }
      throw error;
    }
    this.#limit(entering, actor);
    return actor;
  }

  #limit(entering: Entering, { limits, tenant }: Actor, count = 1): void {
    if (limits === undefined) return;
    this.#take(entering, limits.name, limits.requestsPerMinute, count);
    const ofTenant = limits.quotas.requestsPerMinute;
    if (ofTenant !== null) this.#take(entering, `tenant/${tenant}`, ofTenant, count);
  }

  /** The response shows the limit that is closest. */
  #take(entering: Entering, name: string, limit: number, count = 1): void {
    const taken = this.#limiter.take(name, limit, limitedBy(entering), count);
    if (entering.taken === undefined || taken.remaining < entering.taken.remaining) entering.taken = taken;
    if (taken.isAllowed) return;
    const { resetSeconds } = taken;
    throw tooMany(`At most ${limit} requests a minute are answered. Try again in ${resetSeconds} s.`, resetSeconds);
  }
}

const WINDOW_SECONDS = 60;

function limitedBy(entering: Entering) {
  return {
    store: entering.settings.leases,
    nowMs: entering.now(),
    waitUntil: (promise: Promise<unknown>) => entering.waitUntil(promise),
  };
}

function readAddress(request: Request, { settings }: Entering): string {
  return assignedAddress(callerAddress(request, settings.access) ?? "");
}

function tooMany(detail: string, retryAfterSeconds: number): RegistryError {
  return new RegistryError(makeRefusal("RATE_LIMITED", [], detail, { retryAfterSeconds }));
}
