"""The official command line `ax` against the emulator."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import Cases

cases = Cases("ax 0.39.0")
PROGRAM = Path(sys.executable).with_name("ax")
ADMIN = os.environ["ARIZE_API_KEY"]
HOME = Path(tempfile.mkdtemp())
(HOME / ".arize").mkdir()


def profile(name, port, key=ADMIN):
    path = HOME / f"{name}.toml"
    path.write_text(
        f"""
[profile]
name = "{name}"
[auth]
auth_method = "api-key"
api_key = "{key}"
[routing]
api_host = "127.0.0.1:{port}"
api_scheme = "http"
"""
    )
    done = run("profiles", "create", name, "--from-file", path)
    assert done.returncode == 0, done.stdout + done.stderr


def run(*args):
    env = {name: value for name, value in os.environ.items() if not name.startswith("ARIZE_")}
    env |= {"HOME": str(HOME), "NO_COLOR": "1", "COLUMNS": "1000", "TERM": "dumb"}
    return subprocess.run([PROGRAM, *map(str, args)], env=env, capture_output=True, text=True, timeout=120)


def keys(*args):
    done = run("api-keys", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def use(name):
    done = run("profiles", "use", name)
    assert done.returncode == 0, done.stdout + done.stderr


def refused(part, *args):
    done = run("api-keys", *args)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and part in said, said


def document(text):
    return json.loads(text[min(at for at in (text.find("{"), text.find("[")) if at >= 0) :])


def listed(*args):
    items = document(keys("list", "-o", "json", *args))
    items = items.get("api_keys", items) if isinstance(items, dict) else items
    return [item.get("actual_instance", item) for item in items]


profile("main", os.environ["ARIZE_API_PORT"])
profile("stranger", os.environ["ARIZE_API_PORT"], "ak-unknown")
profile("jo", os.environ["ARIZE_API_PORT"], "ak-interop-jo-0123456789")
profile("faulty", os.environ["FAULTY_PORT"])
use("main")


@cases.case("create, list, revoke")
def _():
    made = document(keys("create", "-n", "ax plain", "--description", "d", "--expires-at", "2099-01-01", "-o", "json"))
    assert made["key"].startswith("ak-") and made["status"] == "ACTIVE" and made["key_type"] == "USER", made
    found = [key for key in listed("--limit", "100") if key["id"] == made["id"]]
    assert found and found[0]["name"] == "ax plain" and "key" not in found[0], found
    keys("revoke", made["id"], "--force")
    keys("revoke", made["id"], "--force")
    assert made["id"] in [key["id"] for key in listed("--limit", "100", "--status", "REVOKED")]


@cases.case("create: into an env file")
def _():
    path = HOME / ".env"
    keys("create", "-n", "ax env", "--env-file", path)
    assert "ARIZE_API_KEY=" in path.read_text() and "ak-" in path.read_text()


@cases.case("create-service-key, by the name of a space")
def _():
    organizations = document(run("organizations", "list", "-o", "json").stdout)
    organizations = organizations.get("organizations", organizations) if isinstance(organizations, dict) else organizations
    acme = next(org["id"] for org in organizations if org["name"] == "acme")
    for space in ["prod", "staging"]:
        assignments = json.dumps([{"org_id": acme, "spaces": [{"space": space}]}])
        made = document(keys("create-service-key", "-n", "ax bot", "-a", assignments, "-o", "json"))
        assert made["key_type"] == "SERVICE" and made["bot_user"]["organizations"], made
    assert "ax bot" in [key["name"] for key in listed("--key-type", "SERVICE", "--limit", "100")]


@cases.case("refresh: with a grace, and by the rules of expiry")
def _():
    made = document(keys("create", "-n", "ax fresh", "--expires-at", "2099-01-01T00:00:00Z", "-o", "json"))
    refused("expires_at", "refresh", made["id"])
    refused("later", "refresh", made["id"], "--expires-at", "2100-01-01T00:00:00Z")
    args = ["--expires-at", "2098-01-01T00:00:00Z", "--grace-period-seconds", "3600", "-o", "json"]
    fresh = document(keys("refresh", made["id"], *args))
    assert fresh["id"] == made["id"] and fresh["key"] != made["key"]
    for secret in [made["key"], fresh["key"]]:
        name = "p" + secret[-6:].lower().replace("_", "x").replace("-", "y")
        profile(name, os.environ["ARIZE_API_PORT"], secret)
        use(name)
        keys("list")
    use("main")


@cases.case("list: pages")
def _():
    for n in range(3):
        keys("create", "-n", f"ax page {n}")
    first = document(keys("list", "-o", "json", "--limit", "2"))
    cursor = first["pagination"]["next_cursor"]
    second = document(keys("list", "-o", "json", "--limit", "2", "--cursor", cursor))
    ids = lambda page: {key.get("actual_instance", key)["id"] for key in page["api_keys"]}
    assert len(ids(first)) == 2 and not ids(first) & ids(second)


@cases.case("errors: 400 401 403 404 422 429")
def _():
    refused("cursor", "list", "--cursor", "bm9uZQ==")
    refused("no such API key", "revoke", "QXBpS2V5Ojk5OTk5OmFiY2Q=", "--force")
    refused("future", "create", "-n", "x", "--expires-at", "2020-01-01")
    use("stranger")
    refused("not known", "list")
    use("jo")
    theirs = listed()[0]["id"]
    use("main")
    refused("may not refresh", "refresh", theirs)
    use("faulty")
    refused("429", "create", "-n", "x")
    use("main")


cases.end()
