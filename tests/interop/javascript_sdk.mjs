// The official JavaScript SDK against the emulator.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as ax from "@arizeai/ax-client";

const NAME = "javascript 1.28.0";
const ADMIN = process.env.ARIZE_API_KEY;
const DAY = 86_400_000;
let passed = 0;
let failed = 0;

async function test(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`${NAME}  ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`${NAME}  FAIL  ${name}\n${error.stack}`);
  }
}

const connect = (apiKey = ADMIN, port) =>
  ax.createClient(port ? { apiKey, baseUrl: `http://127.0.0.1:${port}` } : { apiKey });
const admin = connect();
const jo = connect("ak-interop-jo-0123456789");
const vi = connect("ak-interop-vi-0123456789");
const decode = (id) => Buffer.from(id, "base64").toString();
const soon = (ms) => new Date(Date.now() + ms);
const create = (name, rest = {}, client = admin) => ax.createApiKey({ client, keyType: "USER", name, ...rest });
const service = (name, organizations, rest = {}, client = admin) =>
  ax.createApiKey({ client, keyType: "SERVICE", name, organizations, ...rest });
const ids = (page) => page.data.map((key) => key.id);

async function works(secret) {
  try {
    await ax.listApiKeys({ client: connect(secret), limit: 1 });
    return true;
  } catch (error) {
    assert.equal(error.name, "AuthenticationError");
    return false;
  }
}

async function refused(name, status, part, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.name, name, error.stack);
    assert.equal(error.statusCode, status);
    assert.ok(error.message.includes(part), error.message);
    return true;
  });
}

const organizations = (await ax.listOrganizations({ client: admin })).data;
const acme = organizations.find((org) => org.name === "acme").id;
const labs = organizations.find((org) => org.name === "acme-labs").id;
const spaces = (await ax.listSpaces({ client: admin, limit: 100 })).data;
const space = (name) => spaces.find((space) => space.name === name).id;

await test("create: a user key, whole", async () => {
  const expiresAt = soon(30 * DAY);
  const made = await create("js ü", { description: "a <b> & c", expiresAt });
  assert.ok(made.key.startsWith("ak-") && made.redactedKey.startsWith(made.key.slice(0, 6)));
  assert.deepEqual([made.name, made.description, made.keyType, made.status], ["js ü", "a <b> & c", "USER", "ACTIVE"]);
  assert.equal(made.expiresAt.getTime(), expiresAt.getTime());
  assert.ok(Math.abs(made.createdAt.getTime() - Date.now()) < 60_000);
  assert.ok(decode(made.id).startsWith("ApiKey:") && decode(made.createdByUserId).startsWith("User:"));
  assert.ok(await works(made.key));
});

await test("list: default, last use, fields that are not there", async () => {
  const made = await create("js used");
  assert.equal(made.expiresAt, undefined);
  await ax.listApiKeys({ client: connect(made.key) });
  const page = await ax.listApiKeys({ client: admin, limit: 100 });
  assert.ok(page.data.every((key) => key.keyType === "USER" && key.status === "ACTIVE"));
  assert.ok(page.data.find((key) => key.id === made.id).lastUsedAt instanceof Date);
});

await test("list: pages", async () => {
  for (let n = 0; n < 5; n += 1) await create(`js page ${n}`);
  const seen = [];
  let cursor;
  do {
    const page = await ax.listApiKeys({ client: admin, limit: 2, cursor });
    seen.push(...ids(page));
    cursor = page.pagination.nextCursor ?? page.pagination.next_cursor;
  } while (cursor);
  assert.ok(seen.length >= 5);
  assert.equal(new Set(seen).size, seen.length);
});

await test("organizations and spaces: list, get, filters, names", async () => {
  assert.ok(!acme.endsWith("=") && decode(acme).startsWith("Organization:"));
  const named = await ax.listSpaces({ client: admin, name: "PROD" });
  assert.deepEqual(named.data.map((space) => space.name), ["prod", "prod-eu"]);
  const got = await ax.getSpace({ client: admin, space: "prod" });
  assert.equal(got.id, space("prod"));
  assert.equal(got.description, "what customers see");
});

await test("create service key: every role, bot user", async () => {
  const organizations = [
    {
      orgId: acme,
      role: { name: "MEMBER" },
      spaces: [{ spaceId: space("prod"), role: { name: "ADMIN" } }, { spaceId: space("staging") }],
    },
    { orgId: labs, spaces: [{ spaceId: space("research") }] },
  ];
  const made = await service("js bot", organizations, { accountRole: { name: "MEMBER" }, expiresAt: soon(DAY) });
  assert.equal(made.keyType, "SERVICE");
  const { botUser } = made;
  assert.ok(decode(botUser.id).startsWith("User:"));
  assert.equal(botUser.accountRole.name, "MEMBER");
  assert.deepEqual(botUser.organizations.map((org) => org.role.name), ["MEMBER", "READ_ONLY"]);
  assert.deepEqual(botUser.organizations[0].spaces.map((space) => space.role.name), ["ADMIN", "MEMBER"]);
  const visible = (await ax.listSpaces({ client: connect(made.key), limit: 100 })).data;
  assert.deepEqual(visible.map((space) => space.name), ["prod", "staging", "research"]);
});

await test("list: the filters", async () => {
  const spaceId = space("prod-eu");
  const bot = await service("js filter", [{ orgId: acme, spaces: [{ spaceId }] }]);
  assert.ok(ids(await ax.listApiKeys({ client: admin, spaceId, limit: 100 })).includes(bot.id));
  assert.deepEqual(ids(await ax.listApiKeys({ client: admin, spaceId, keyType: "USER" })), []);
  const byAdmin = await ax.listApiKeys({ client: admin, spaceId, userId: bot.createdByUserId, limit: 100 });
  assert.ok(ids(byAdmin).includes(bot.id));
  const joId = (await ax.listApiKeys({ client: jo })).data[0].createdByUserId;
  assert.deepEqual(ids(await ax.listApiKeys({ client: admin, spaceId, userId: joId })), []);
  assert.equal((await ax.listApiKeys({ client: admin, userId: joId })).data[0].name, "of jo");
  assert.ok(ids(await ax.listApiKeys({ client: admin, keyType: "SERVICE", limit: 100 })).includes(bot.id));
});

await test("revoke: at once, again without an error, and listed as revoked", async () => {
  const made = await create("js gone");
  assert.equal(await ax.revokeApiKey({ client: admin, apiKeyId: made.id }), undefined);
  await ax.revokeApiKey({ client: admin, apiKeyId: made.id });
  assert.ok(!(await works(made.key)));
  const listed = await ax.listApiKeys({ client: admin, status: "REVOKED", limit: 100 });
  assert.equal(listed.data.find((key) => key.id === made.id).status, "REVOKED");
  await refused("NotFoundError", 404, "revoked", () => ax.refreshApiKey({ client: admin, apiKeyId: made.id }));
});

await test("refresh: the old secret dies at once, or after its grace", async () => {
  const made = await create("js fresh");
  const fresh = await ax.refreshApiKey({ client: admin, apiKeyId: made.id });
  assert.equal(fresh.id, made.id);
  assert.ok((await works(fresh.key)) && !(await works(made.key)));
  const again = await ax.refreshApiKey({ client: admin, apiKeyId: made.id, gracePeriodSeconds: 2 });
  assert.ok((await works(again.key)) && (await works(fresh.key)));
  await sleep(2200);
  assert.ok((await works(again.key)) && !(await works(fresh.key)));
});

await test("refresh: the rules of expiry", async () => {
  const expiresAt = soon(10 * DAY);
  const { id: apiKeyId, key } = await create("js expiring", { expiresAt });
  const refresh = (rest) => () => ax.refreshApiKey({ client: admin, apiKeyId, ...rest });
  await refused("APIError", 422, "required", refresh({}));
  await refused("APIError", 422, "later", refresh({ expiresAt: soon(11 * DAY) }));
  await refused("APIError", 422, "future", refresh({ expiresAt: soon(-DAY) }));
  await refused("BadRequestError", 400, "grace_period_seconds", refresh({ expiresAt, gracePeriodSeconds: 86_401 }));
  await refused("BadRequestError", 400, "grace_period_seconds", refresh({ expiresAt, gracePeriodSeconds: -1 }));
  assert.ok(await works(key));
  assert.equal((await refresh({ expiresAt })()).expiresAt.getTime(), expiresAt.getTime());
});

await test("the account's longest lifetime", async () => {
  const capped = connect(ADMIN, process.env.CAPPED_PORT);
  const made = await create("js capped", {}, capped);
  assert.ok(made.expiresAt > soon(29 * DAY) && made.expiresAt <= soon(30 * DAY));
  await refused("APIError", 422, "lifetime", () => create("x", { expiresAt: soon(31 * DAY) }, capped));
});

await test("400: what the schema forbids", async () => {
  const list = (query) => () => ax.listApiKeys({ client: admin, ...query });
  for (const limit of [0, 101, -1, 1.5]) await refused("BadRequestError", 400, "limit", list({ limit }));
  await refused("BadRequestError", 400, "key_type", list({ keyType: "ROBOT" }));
  await refused("BadRequestError", 400, "status", list({ status: "LOST" }));
  await refused("BadRequestError", 400, "cursor", list({ cursor: "bm9uZQ==" }));
  await refused("BadRequestError", 400, "name", () => create("n".repeat(257)));
  await refused("BadRequestError", 400, "name", () => create(undefined));
  await refused("BadRequestError", 400, "description", () => create("x", { description: "d".repeat(1001) }));
  await refused("BadRequestError", 400, "expires_at", () => create("x", { expiresAt: "tomorrow" }));
  await refused("BadRequestError", 400, "organizations", () => service("x", []));
  await refused("BadRequestError", 400, "spaces", () => service("x", [{ orgId: acme, spaces: [] }]));
  const many = Array.from({ length: 101 }, () => ({ spaceId: space("prod") }));
  await refused("BadRequestError", 400, "spaces", () => service("x", [{ orgId: acme, spaces: many }]));
  assert.equal((await create("n".repeat(256), { description: "d".repeat(1000) })).name.length, 256);
});

await test("401: unknown, expired and revoked keys", async () => {
  for (const secret of ["ak-unknown", "ak-interop-expired-0123456789", "ak-interop-revoked-0123456789"]) {
    const client = connect(secret);
    await refused("AuthenticationError", 401, "API key", () => ax.listApiKeys({ client }));
    await refused("AuthenticationError", 401, "API key", () => create("x", {}, client));
    await refused("AuthenticationError", 401, "API key", () => ax.revokeApiKey({ client, apiKeyId: "x" }));
  }
});

await test("403: keys of others, and a space that may only be read", async () => {
  const { id, createdByUserId } = await create("js mine");
  await refused("AuthorizationError", 403, "user_id", () => ax.listApiKeys({ client: jo, userId: createdByUserId }));
  const spaceId = space("prod");
  await refused("AuthorizationError", 403, "space", () => ax.listApiKeys({ client: vi, spaceId }));
  const organizations = [{ orgId: acme, spaces: [{ spaceId }] }];
  await refused("AuthorizationError", 403, "space", () => service("x", organizations, {}, vi));
  const theirs = (await ax.listApiKeys({ client: jo })).data[0].id;
  await refused("AuthorizationError", 403, "refresh", () => ax.refreshApiKey({ client: admin, apiKeyId: theirs }));
  await refused("NotFoundError", 404, "no such", () => ax.revokeApiKey({ client: jo, apiKeyId: id }));
});

await test("404: unknown keys, spaces, organizations; odd ids", async () => {
  for (const apiKeyId of ["QXBpS2V5Ojk5OTk5OmFiY2Q=", "no-id", "a/b?c#d%e f", "ü"]) {
    await refused("NotFoundError", 404, "API key", () => ax.refreshApiKey({ client: admin, apiKeyId }));
    await refused("NotFoundError", 404, "API key", () => ax.revokeApiKey({ client: admin, apiKeyId }));
  }
  const nowhere = "U3BhY2U6OTk5OmFiY2Q=";
  await refused("NotFoundError", 404, "space", () => ax.listApiKeys({ client: admin, spaceId: nowhere }));
  const unknownSpace = [{ orgId: acme, spaces: [{ spaceId: nowhere }] }];
  await refused("NotFoundError", 404, "space", () => service("x", unknownSpace));
  const unknownOrg = [{ orgId: "T3JnYW5pemF0aW9uOjk5OnhZeld2", spaces: [{ spaceId: space("prod") }] }];
  await refused("NotFoundError", 404, "organization", () => service("x", unknownOrg));
});

await test("422: the past, spaces of others, twice the same, roles that are refused or too high", async () => {
  await refused("APIError", 422, "future", () => create("x", { expiresAt: soon(-1000) }));
  const bind = (spaces, rest = {}) => [{ orgId: acme, spaces, ...rest }];
  const prod = { spaceId: space("prod") };
  await refused("APIError", 422, "another organization", () => service("x", bind([{ spaceId: space("research") }])));
  await refused("APIError", 422, "second time", () => service("x", bind([prod, prod])));
  const annotator = { name: "ANNOTATOR" };
  await refused("APIError", 422, "ANNOTATOR", () => service("x", bind([{ ...prod, role: annotator }])));
  await refused("APIError", 422, "ANNOTATOR", () => service("x", bind([prod], { role: annotator })));
  const high = [{ ...prod, role: { name: "ADMIN" } }];
  await refused("APIError", 422, "above", () => service("x", bind(high), {}, jo));
  await refused("APIError", 422, "above", () => service("x", bind([prod]), { accountRole: { name: "ADMIN" } }, jo));
});

await test("429: by a fault, and by the rate limit", async () => {
  const faulty = connect(ADMIN, process.env.FAULTY_PORT);
  await refused("APIError", 429, "fault", () => create("x", {}, faulty));
  const limited = connect(ADMIN, process.env.LIMITED_PORT);
  const statuses = [];
  for (let n = 0; n < 12; n += 1) {
    await create(`js ${n}`, {}, limited).then(
      () => statuses.push(201),
      (error) => statuses.push(error.statusCode),
    );
  }
  assert.deepEqual([...new Set(statuses)].sort(), [201, 429]);
});

await test("an emulator of stage alpha still answers this client in beta", async () => {
  const alpha = connect(ADMIN, process.env.ALPHA_PORT);
  const made = await create("js beta", {}, alpha);
  const fresh = await ax.refreshApiKey({ client: alpha, apiKeyId: made.id });
  assert.deepEqual([fresh.keyType, fresh.status], ["USER", "ACTIVE"]);
  assert.equal((await ax.listApiKeys({ client: alpha })).data[0].status, "ACTIVE");
});

console.log(`${NAME}: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
