"""The official Python SDK against the emulator."""

import base64
import os
import time
from datetime import datetime, timedelta, timezone

from cases import Cases

from arize import ArizeClient
from arize._generated.api_client import exceptions as errors
from arize._generated.api_client.models.predefined_user_role_assignment_request import (
    PredefinedUserRoleAssignmentRequest,
)
from arize.api_keys.types import (
    ApiKeyStatus,
    ApiKeyType,
    CustomRoleAssignmentRequest,
    OrgBinding,
    OrganizationPredefinedRoleAssignmentRequest,
    OrganizationRoleAssignmentRequest,
    PredefinedRoleAssignmentRequest,
    SpaceBinding,
    SpaceRoleAssignmentRequest,
    UserRoleAssignmentRequest,
)

cases = Cases("python 8.61.0")
ADMIN = os.environ["ARIZE_API_KEY"]


def client(key=ADMIN, port=None):
    if port is None:
        return ArizeClient(api_key=key)
    return ArizeClient(api_key=key, api_host=f"127.0.0.1:{port}", api_port=int(port))


admin = client()
keys = admin.api_keys
now = lambda: datetime.now(timezone.utc)


def works(secret):
    try:
        client(secret).api_keys.list(limit=1)
        return True
    except errors.UnauthorizedException:
        return False


def refused(error, call, status, part=""):
    try:
        call()
    except error as raised:
        assert raised.status == status, raised.status
        problem = raised.body
        assert '"status":%d' % status in problem and part in problem, problem
        assert raised.headers["content-type"] == "application/problem+json", raised.headers
        return raised
    raise AssertionError(f"no {error.__name__}")


def space_role(name):
    return SpaceRoleAssignmentRequest(PredefinedRoleAssignmentRequest(type="PREDEFINED", name=name))


def account_role(name):
    return UserRoleAssignmentRequest(PredefinedUserRoleAssignmentRequest(type="PREDEFINED", name=name))


@cases.case("create: a user key, whole")
def _():
    expires = now() + timedelta(days=30)
    made = keys.create(name="py ü", description="a <b> & c", expires_at=expires)
    assert made.key.startswith("ak-") and made.redacted_key.startswith(made.key[:6]), made.redacted_key
    assert made.name == "py ü" and made.description == "a <b> & c"
    assert made.key_type == ApiKeyType.USER and made.status == ApiKeyStatus.ACTIVE
    assert abs(made.expires_at - expires) < timedelta(milliseconds=1), made.expires_at
    assert abs(made.created_at - now()) < timedelta(minutes=1)
    assert base64.b64decode(made.id).startswith(b"ApiKey:")
    assert base64.b64decode(made.created_by_user_id).startswith(b"User:")
    assert works(made.key)


@cases.case("create: without an expiry and a description")
def _():
    made = keys.create(name="py plain")
    assert made.expires_at is None and made.description is None and made.last_used_at is None


@cases.case("list: newest fields, last use, default is active user keys")
def _():
    made = keys.create(name="py used")
    client(made.key).api_keys.list()
    found = {key.actual_instance.id: key.actual_instance for key in keys.list(limit=100).api_keys}
    assert found[made.id].last_used_at is not None
    assert all(key.key_type == ApiKeyType.USER and key.status == ApiKeyStatus.ACTIVE for key in found.values())


@cases.case("list: pages")
def _():
    for n in range(5):
        keys.create(name=f"py page {n}")
    seen, cursor = [], None
    while True:
        page = keys.list(limit=2, cursor=cursor)
        seen += [key.actual_instance.id for key in page.api_keys]
        cursor = page.pagination.next_cursor
        assert page.pagination.has_more == (cursor is not None)
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 5
    whole = [key.actual_instance.id for key in keys.list(limit=100).api_keys]
    assert seen == whole[: len(seen)], "pages and the whole list agree"


def org_id(name):
    return next(org.id for org in admin.organizations.list().organizations if org.name == name)


def space_id(name, org=None):
    spaces = admin.spaces.list(organization_id=org, limit=100).spaces if org else admin.spaces.list(limit=100).spaces
    return next(space.id for space in spaces if space.name == name)


@cases.case("organizations and spaces: list, get, names, ids of the documented shape")
def _():
    org = org_id("acme")
    assert not org.endswith("=") and base64.b64decode(org + "=" * (-len(org) % 4)).startswith(b"Organization:")
    prod = admin.spaces.get(space="prod")
    assert prod.id == space_id("prod") and prod.description == "what customers see"
    assert prod.organization_id == org and base64.b64decode(prod.id).startswith(b"Space:")
    names = [space.name for space in admin.spaces.list(name="PROD", limit=100).spaces]
    assert names == ["prod", "prod-eu"], names
    first = admin.spaces.list(limit=3)
    assert first.pagination.has_more and len(first.spaces) == 3
    rest = admin.spaces.list(limit=3, cursor=first.pagination.next_cursor)
    assert not {s.id for s in first.spaces} & {s.id for s in rest.spaces}


@cases.case("create service key: every role, bot user")
def _():
    made = keys.create_service_key(
        name="py bot",
        description="d",
        expires_at=now() + timedelta(days=1),
        account_role=account_role("MEMBER"),
        orgs=[
            OrgBinding(
                org_id=org_id("acme"),
                role=OrganizationRoleAssignmentRequest(
                    OrganizationPredefinedRoleAssignmentRequest(type="PREDEFINED", name="MEMBER")
                ),
                spaces=[SpaceBinding(space="prod", role=space_role("ADMIN")), SpaceBinding(space="staging")],
            )
        ],
    )
    assert made.key_type == ApiKeyType.SERVICE and works(made.key)
    bot = made.bot_user
    assert bot.name == "py bot" and base64.b64decode(bot.id).startswith(b"User:")
    assert bot.account_role.actual_instance.name == "MEMBER"
    [org] = bot.organizations
    assert org.org_id == org_id("acme") and org.role.actual_instance.name == "MEMBER"
    assert [space.role.actual_instance.name for space in org.spaces] == ["ADMIN", "MEMBER"]
    # And what the bot may do with it.
    visible = [space.name for space in client(made.key).spaces.list(limit=100).spaces]
    assert visible == ["prod", "staging"], visible


@cases.case("create service key: defaults of the roles, two organizations")
def _():
    made = keys.create_service_key(
        name="py wide",
        orgs=[
            OrgBinding(org_id=org_id("acme"), spaces=[SpaceBinding(space="prod-eu")]),
            OrgBinding(org_id=org_id("acme-labs"), spaces=[SpaceBinding(space="research")]),
        ],
    )
    assert made.bot_user.account_role.actual_instance.name == "MEMBER"
    assert [org.role.actual_instance.name for org in made.bot_user.organizations] == ["READ_ONLY", "READ_ONLY"]
    assert made.bot_user.organizations[1].spaces[0].role.actual_instance.name == "MEMBER"


@cases.case("create service key: a custom role, with its name in the response")
def _():
    listed = keys.list(key_type=ApiKeyType.SERVICE, limit=100).api_keys
    bot = next(key.actual_instance for key in listed if key.actual_instance.name == "audit-bot").bot_user
    role = bot.organizations[0].spaces[0].role.actual_instance
    assert role.name == "auditor" and role.type == "CUSTOM"
    custom = SpaceRoleAssignmentRequest(CustomRoleAssignmentRequest(type="CUSTOM", id=role.id))
    binding = OrgBinding(org_id=org_id("acme-labs"), spaces=[SpaceBinding(space="research", role=custom)])
    made = keys.create_service_key(name="py custom", orgs=[binding])
    answered = made.bot_user.organizations[0].spaces[0].role.actual_instance
    assert (answered.id, answered.name) == (role.id, "auditor")


@cases.case("list: the filters")
def _():
    ids = lambda page: [key.actual_instance.id for key in page.api_keys]
    binding = OrgBinding(org_id=org_id("acme"), spaces=[SpaceBinding(space="R&D + tools/50%")])
    bot = keys.create_service_key(name="py filter", orgs=[binding])
    by_name = keys.list(space="R&D + tools/50%")
    assert ids(by_name) == [bot.id]
    assert ids(keys.list(space=space_id("R&D + tools/50%"))) == [bot.id]
    assert by_name.api_keys[0].actual_instance.bot_user.organizations == []
    assert ids(keys.list(space="R&D + tools/50%", key_type=ApiKeyType.USER)) == []
    mine = keys.list(limit=1).api_keys[0].actual_instance.created_by_user_id
    assert ids(keys.list(space="R&D + tools/50%", user_id=mine)) == [bot.id]
    jo = client("ak-interop-jo-0123456789").api_keys.list().api_keys[0].actual_instance.created_by_user_id
    assert [key.actual_instance.name for key in keys.list(user_id=jo).api_keys][:2] == ["of jo", "expired"]
    assert ids(keys.list(space="R&D + tools/50%", user_id=jo)) == []
    assert bot.id in ids(keys.list(key_type=ApiKeyType.SERVICE, limit=100))


@cases.case("revoke: at once, again without an error, and listed as revoked")
def _():
    made = keys.create(name="py gone")
    keys.revoke(api_key_id=made.id)
    keys.revoke(api_key_id=made.id)
    assert not works(made.key)
    listed = [key.actual_instance for key in keys.list(status=ApiKeyStatus.REVOKED, limit=100).api_keys]
    assert made.id in [key.id for key in listed] and all(key.status == ApiKeyStatus.REVOKED for key in listed)
    assert made.id not in [key.actual_instance.id for key in keys.list(limit=100).api_keys]
    refused(errors.NotFoundException, lambda: keys.refresh(api_key_id=made.id), 404)


@cases.case("refresh: the old secret dies at once")
def _():
    made = keys.create(name="py fresh")
    fresh = keys.refresh(api_key_id=made.id)
    assert fresh.id == made.id and fresh.name == made.name and fresh.key != made.key
    assert works(fresh.key) and not works(made.key)


@cases.case("refresh: with a grace period both live, until it ends")
def _():
    made = keys.create(name="py grace")
    fresh = keys.refresh(api_key_id=made.id, grace_period_seconds=2)
    assert works(fresh.key) and works(made.key)
    time.sleep(2.2)
    assert works(fresh.key) and not works(made.key)
    again = keys.refresh(api_key_id=made.id, grace_period_seconds=86400)
    assert works(again.key) and works(fresh.key)


@cases.case("refresh: the rules of expiry")
def _():
    expires = now() + timedelta(days=10)
    made = keys.create(name="py expiring", expires_at=expires)
    unprocessable = errors.UnprocessableEntityException
    refused(unprocessable, lambda: keys.refresh(api_key_id=made.id), 422, "expires_at")
    late = expires + timedelta(days=1)
    refused(unprocessable, lambda: keys.refresh(api_key_id=made.id, expires_at=late), 422, "later")
    past = now() - timedelta(days=1)
    refused(unprocessable, lambda: keys.refresh(api_key_id=made.id, expires_at=past), 422, "future")
    assert works(made.key), "a refused refresh changes nothing"
    early = expires - timedelta(days=1)
    fresh = keys.refresh(api_key_id=made.id, expires_at=early)
    assert abs(fresh.expires_at - early) < timedelta(milliseconds=1)
    unbounded = keys.create(name="py unbounded")
    assert keys.refresh(api_key_id=unbounded.id, expires_at=early).expires_at is not None


@cases.case("expiry: a key works until then")
def _():
    made = keys.create(name="py short", expires_at=now() + timedelta(seconds=2))
    assert works(made.key)
    time.sleep(2.2)
    assert not works(made.key)
    assert made.id in [key.actual_instance.id for key in keys.list(limit=100).api_keys], "listed as active still"


@cases.case("the account's longest lifetime")
def _():
    capped = client(port=os.environ["CAPPED_PORT"]).api_keys
    made = capped.create(name="py capped")
    assert timedelta(days=29) < made.expires_at - now() <= timedelta(days=30)
    late = now() + timedelta(days=31)
    refused(errors.UnprocessableEntityException, lambda: capped.create(name="x", expires_at=late), 422, "lifetime")


@cases.case("400: a cursor of another listing")
def _():
    refused(errors.BadRequestException, lambda: keys.list(cursor="bm9uZQ=="), 400, "cursor")


@cases.case("400: `ANNOTATOR` for the account")
def _():
    role = account_role("ANNOTATOR")
    orgs = [OrgBinding(org_id=org_id("acme"), spaces=[SpaceBinding(space="prod")])]
    call = lambda: keys.create_service_key(name="x", account_role=role, orgs=orgs)
    refused(errors.BadRequestException, call, 400, "ANNOTATOR")


@cases.case("401: unknown, expired and revoked keys")
def _():
    for secret in ["ak-unknown", "ak-interop-expired-0123456789", "ak-interop-revoked-0123456789"]:
        error = refused(errors.UnauthorizedException, lambda: client(secret).api_keys.list(), 401)
        assert error.headers["www-authenticate"] == "Bearer"
        refused(errors.UnauthorizedException, lambda: client(secret).api_keys.create(name="x"), 401)


@cases.case("403: keys of others, a space that may only be read, a key of another's")
def _():
    jo, vi = client("ak-interop-jo-0123456789"), client("ak-interop-vi-0123456789")
    mine = keys.list(limit=1).api_keys[0].actual_instance.created_by_user_id
    refused(errors.ForbiddenException, lambda: jo.api_keys.list(user_id=mine), 403)
    refused(errors.ForbiddenException, lambda: vi.api_keys.list(space="prod"), 403)
    orgs = [OrgBinding(org_id=org_id("acme"), spaces=[SpaceBinding(space="prod")])]
    refused(errors.ForbiddenException, lambda: vi.api_keys.create_service_key(name="x", orgs=orgs), 403)
    theirs = jo.api_keys.list().api_keys[0].actual_instance
    refused(errors.ForbiddenException, lambda: keys.refresh(api_key_id=theirs.id), 403)


@cases.case("404: unknown and invisible keys, spaces, organizations; odd ids")
def _():
    missing = errors.NotFoundException
    for key_id in ["QXBpS2V5Ojk5OTk5OmFiY2Q=", "no-id", "a/b?c#d%e f", "ü"]:
        refused(missing, lambda: keys.refresh(api_key_id=key_id), 404)
        refused(missing, lambda: keys.revoke(api_key_id=key_id), 404)
    hidden = keys.create(name="py hidden")
    refused(missing, lambda: client("ak-interop-jo-0123456789").api_keys.revoke(api_key_id=hidden.id), 404)
    refused(missing, lambda: keys.list(space="U3BhY2U6OTk5OmFiY2Q="), 404)
    orgs = [OrgBinding(org_id="T3JnYW5pemF0aW9uOjk5OnhZeld2", spaces=[SpaceBinding(space="prod")])]
    refused(missing, lambda: keys.create_service_key(name="x", orgs=orgs), 404)
    refused(missing, lambda: admin.spaces.get(space="U3BhY2U6OTk5OmFiY2Q="), 404)


@cases.case("names: one that no space has, and one that two have")
def _():
    for name in ["pro", "sandbox"]:
        try:
            keys.list(space=name)
        except errors.ApiException as error:
            raise AssertionError("a look-up fails on this side") from error
        except Exception as error:
            assert name in str(error), error
        else:
            raise AssertionError(f"{name} was found")


@cases.case("422: the past, spaces of others, twice the same, roles that are refused or too high")
def _():
    unprocessable = errors.UnprocessableEntityException
    refused(unprocessable, lambda: keys.create(name="x", expires_at=now() - timedelta(seconds=1)), 422, "future")

    def service(space, role=None, org="acme", caller=keys, **rest):
        bindings = [SpaceBinding(space=one, role=role) for one in space]
        return lambda: caller.create_service_key(name="x", orgs=[OrgBinding(org_id=org_id(org), spaces=bindings)], **rest)

    refused(unprocessable, service(["research"]), 422, "another organization")
    refused(unprocessable, service(["prod", "prod"]), 422, "second time")
    refused(unprocessable, service(["prod"], space_role("ANNOTATOR")), 422, "ANNOTATOR")
    custom = SpaceRoleAssignmentRequest(CustomRoleAssignmentRequest(type="CUSTOM", id="Q3VzdG9tUm9sZTo5OTphYmNk"))
    refused(unprocessable, service(["prod"], custom), 422, "role")
    jo = client("ak-interop-jo-0123456789").api_keys
    refused(unprocessable, service(["prod"], space_role("ADMIN"), caller=jo), 422, "above")
    high = account_role("ADMIN")
    refused(unprocessable, service(["prod"], caller=jo, account_role=high), 422, "above")


@cases.case("429: with `Retry-After`")
def _():
    faulty = client(port=os.environ["FAULTY_PORT"]).api_keys
    error = refused(errors.ApiException, lambda: faulty.create(name="x"), 429)
    assert error.headers["retry-after"] == "1"


@cases.case("429: the rate limit")
def _():
    limited = client(port=os.environ["LIMITED_PORT"]).api_keys
    statuses = []
    for n in range(12):
        try:
            limited.create(name=f"py {n}")
            statuses.append(201)
        except errors.ApiException as error:
            statuses.append(error.status)
            assert error.headers["retry-after"] == "1"
    assert set(statuses) == {201, 429} and statuses[0] == 201, statuses


@cases.case("an emulator of stage alpha still answers this client in beta")
def _():
    alpha = client(port=os.environ["ALPHA_PORT"]).api_keys
    made = alpha.create(name="py beta")
    assert alpha.list().api_keys[0].actual_instance.status == ApiKeyStatus.ACTIVE
    fresh = alpha.refresh(api_key_id=made.id)
    assert fresh.status == ApiKeyStatus.ACTIVE and fresh.key_type == ApiKeyType.USER


cases.end()
