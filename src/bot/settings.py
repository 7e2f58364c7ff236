"""One frozen value from the environment. All that is missing or wrong is named at once; secrets stay out of repr.

Named tuples here and in what else the door imports: dataclasses bring `inspect`, a tenth of a cold ack's CPU.
An empty value means the default. `ENVIRONMENT` names what a person may set for the function; SLACK_APP_TOKEN is
for a laptop alone, `FC_*` (but FC_ENDPOINT) and `ALIBABA_CLOUD_*` are set by Function Compute.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from bot.core import places
from bot.core.places import REGION as _REGION
from bot.core.places import Account

ENVIRONMENT = frozenset(
    {
        "SLACK_SIGNING_SECRET",
        "SLACK_BOT_TOKEN",
        "SLACK_API_URL",
        "ECS_ENDPOINT",
        "FC_ENDPOINT",
        "KMS_ENDPOINT",
        "OOS_ENDPOINT",
        "STS_ENDPOINT",
        "BOT_ACCOUNTS",
        "BOT_REGIONS",
        "BOT_STORE",
        "BOT_READERS",
        "BOT_CHANNELS",
        "BOT_OPERATORS",
        "BOT_MASK_PERSONAL",
        "BOT_LANGUAGE",
        "BOT_TIMEZONE",
        "BOT_CONSOLE",
        "BOT_PAUSED",
        "BOT_RUN_TAG",
        "BOT_AUDIT_DAYS",
    }
)

_PORT = r"[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_HOST = r"(?:[A-Za-z0-9._-]|\{region\})+|\[[0-9A-Fa-f:]+\]"
_URL = rf"https?://(?:{_HOST})(?::(?:{_PORT}))?(?:/[A-Za-z0-9._~%{{}}/-]*)?"
_CHANNEL = r"[CDG][A-Z0-9]+"
_LIMIT = rf"command:[^\s?\[\];,]+|region:{_REGION}|account:{places.NAME}"
_TABLESTORE = rf"tablestore://([A-Za-z][A-Za-z0-9-]{{1,14}}[A-Za-z0-9])\.({_REGION})(?:\?endpoint=({_URL}))?"
_REFERENCE = r"(kms):([A-Za-z0-9_/+=.@-]{1,64})(?:#(\S+))?|(oos):([A-Za-z0-9_/-]{1,180})(?:#(\S+))?"
_SERVICES = ("kms:", "oos:")
_SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})


_HIDDEN = frozenset({"signing_secret", "bot_token", "app_token"})


class SettingsError(Exception):
    """The environment cannot be used; one sentence for each thing that is missing or wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Credentials(NamedTuple):
    """Keys of an Alibaba Cloud role or user; `security_token` is empty for a user's long-lived keys."""

    access_key_id: str = ""
    access_key_secret: str = ""
    security_token: str = ""

    def __bool__(self) -> bool:
        return bool(self.access_key_id and self.access_key_secret)

    def __repr__(self) -> str:
        return f"Credentials(access_key_id={self.access_key_id!r})"


class Tablestore(NamedTuple):
    """An instance of Tablestore; `endpoint` is its base URL, on the internet unless another one was set."""

    instance: str
    region: str
    endpoint: str


class Reference(NamedTuple):
    """Where a secret lies: the service (`kms` or `oos`), its name there, and a key where its text is a JSON object."""

    service: str
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.service}:{self.name}" + (f"#{self.key}" if self.key else "")


class Settings(NamedTuple):
    signing_secret: str
    bot_token: str  # empty where it comes by reference
    bot_token_reference: Reference | None
    app_token: str  # of Socket Mode; only doctor tries it, the sandbox uses it
    slack_api_url: str
    accounts: Mapping[str, Account]  # by name; the function's own alone has none
    regions: tuple[str, ...]  # places, see core.places; of every account its default region first
    regions_chosen: bool
    ecs_endpoint: str
    fc_endpoint: str
    kms_endpoint: str
    oos_endpoint: str
    sts_endpoint: str
    function_name: str
    function_region: str
    qualifier: str
    account_id: str
    port: int
    store_path: str  # of SQLite; empty where it is Tablestore
    store_chosen: bool
    tablestore: Tablestore | None
    readers: tuple[str, ...]
    channels: Mapping[str, tuple[tuple[str, str], ...]]  # each with its limits, such as ("command", "deploy-*")
    operators: tuple[str, ...]
    mask_personal: bool
    language: str
    timezone: str
    console: str
    paused: str
    run_tag: str
    audit_days: int
    credentials: Credentials

    def __repr__(self) -> str:
        shown = {name: value for name, value in self._asdict().items() if name not in _HIDDEN}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def on_function_compute(self) -> bool:
        return bool(self.function_name)

    @property
    def store_lasts(self) -> bool:
        """Whether what is kept outlives the function instance; a path that was set on purpose is taken at its word."""
        return self.store_chosen or not self.on_function_compute

    @property
    def host(self) -> str:
        """Function Compute reaches only a server on all addresses; a laptop should not be reached by others."""
        return "0.0.0.0" if self.on_function_compute else "127.0.0.1"  # noqa: S104 (the platform's contract)

    @property
    def account_names(self) -> frozenset[str]:
        """What `account:` takes; empty where the function's own account is the only one."""
        return frozenset(filter(None, self.accounts))

    @property
    def account_ids(self) -> Mapping[str, str]:
        """The name of each account that is asked by its number, which is "" where the function's own is not known."""
        return {one.id or self.account_id: name for name, one in self.accounts.items()}

    @property
    def default_regions(self) -> tuple[str, ...]:
        """The first place of each account."""
        return tuple(next(one for one in self.regions if places.account_of(one) == name) for name in self.accounts)

    def endpoint(self, region: str) -> str:
        """Base URL of the ECS API for a place."""
        return self.ecs_endpoint.replace("{region}", places.region_of(region)).rstrip("/")

    def endpoint_of(self, reference: Reference) -> str:
        """Base URL of the API that knows the secret, in the function's own region."""
        endpoint = self.kms_endpoint if reference.service == "kms" else self.oos_endpoint
        return endpoint.replace("{region}", self.function_region).rstrip("/")

    def may_respond_to(self, url: str) -> bool:
        """A response_url is used only on Slack's own hosts, or on that of SLACK_API_URL where it is set."""
        try:
            target, api = urlsplit(url), urlsplit(self.slack_api_url)
        except ValueError:
            return False
        # The whole of `netloc`, so that neither a user name nor another port makes it another place.
        if target.scheme == "https" and target.netloc.lower().removesuffix(":443") in _SLACK_HOSTS:
            return True
        return api.hostname != "slack.com" and (target.scheme, target.netloc) == (api.scheme, api.netloc)

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError."""
        read = _Reader(environment)
        regions, accounts = read.regions(), read.accounts()
        signing_secret = read.needed_for_the_ack(
            "SLACK_SIGNING_SECRET", "Slack app page, Basic Information, Signing Secret"
        )
        token, reference = read.secret("SLACK_BOT_TOKEN", "Slack app page, Install App, Bot User OAuth Token (xoxb-…)")
        settings = Settings(
            signing_secret=signing_secret,
            bot_token=token,
            bot_token_reference=reference,
            app_token=read.app_token(),
            slack_api_url=read.url("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
            accounts=accounts,
            regions=tuple(
                places.at(one.name, region)
                for one in accounts.values()
                for region in one.regions or regions or (read.value("FC_REGION", "cn-hangzhou"),)
            ),
            regions_chosen=bool(regions) or all(one.regions for one in accounts.values()),
            ecs_endpoint=read.url("ECS_ENDPOINT", "https://ecs.{region}.aliyuncs.com"),
            fc_endpoint=read.url("FC_ENDPOINT", "https://fcv3.{region}.aliyuncs.com"),
            kms_endpoint=read.url("KMS_ENDPOINT", "https://kms.{region}.aliyuncs.com"),
            oos_endpoint=read.url("OOS_ENDPOINT", "https://oos.{region}.aliyuncs.com"),
            sts_endpoint=read.url("STS_ENDPOINT", "https://sts.{region}.aliyuncs.com"),
            function_name=read.value("FC_FUNCTION_NAME"),
            function_region=read.value("FC_REGION", "cn-hangzhou"),
            qualifier=read.value("FC_QUALIFIER", "LATEST"),
            account_id=read.value("FC_ACCOUNT_ID"),
            port=read.port(),
            store_path=read.store_path(),
            store_chosen=bool(read.value("BOT_STORE")),
            tablestore=read.tablestore(),
            readers=read.ids(
                "BOT_READERS", "members", r"[UWS][A-Z0-9]+", "Slack ids of users or user groups such as U024BE7LH"
            ),
            operators=read.ids("BOT_OPERATORS", "none", r"[UW][A-Z0-9]+", "Slack user ids such as U024BE7LH"),
            mask_personal=read.checked("BOT_MASK_PERSONAL", "yes", "yes|no", "yes or no") == "yes",
            language=read.checked("BOT_LANGUAGE", "en", "en|zh", "en or zh"),
            channels=read.channels(),
            timezone=read.timezone(),
            console=read.checked("BOT_CONSOLE", "ecs.console.aliyun.com", r"[a-z0-9.-]+", "a host name"),
            paused=read.value("BOT_PAUSED"),
            run_tag=read.checked("BOT_RUN_TAG", "", r"[^\x00-\x1f]{0,128}", "the key of a tag"),
            audit_days=read.days("BOT_AUDIT_DAYS", "180"),
            credentials=Credentials(
                read.value("ALIBABA_CLOUD_ACCESS_KEY_ID"),
                read.value("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
                read.value("ALIBABA_CLOUD_SECURITY_TOKEN"),
            ),
        )
        read.refuse_limits_nowhere(settings)
        if read.problems:
            raise SettingsError(read.problems)
        return settings


class _Reader:
    """Reads values and collects what is wrong with them, so that a person fixes all of it in one go."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def value(self, name: str, default: str = "") -> str:
        return self._environment.get(name, "").strip() or default

    def required(self, name: str, where: str) -> str:
        if not self.value(name):
            self.problems.append(f"{name} is missing ({where}).")
        return self.value(name)

    def secret(self, name: str, where: str) -> tuple[str, Reference | None]:
        """The secret itself, or where it lies. What is wrong with it is told without it."""
        value = self.required(name, where)
        if not value.startswith(_SERVICES):
            return value, None
        found = re.fullmatch(_REFERENCE, value)
        if found is None:
            right = "kms:name or oos:name, with #key behind it where the secret's text is a JSON object"
            self.problems.append(f"{name} is not a reference that can be read; right would be {right}.")
            return "", None
        return "", Reference(*(part for part in found.groups() if part is not None))

    def needed_for_the_ack(self, name: str, where: str) -> str:
        value = self.required(name, where)
        if value.startswith(_SERVICES):
            self.problems.append(
                f"{name} cannot be a reference: Slack waits 3 s for the ack, and nobody can be asked before its "
                "signature is verified. Set the secret itself."
            )
        return value

    def checked(self, name: str, default: str, pattern: str, right: str) -> str:
        value = self.value(name, default)
        if not re.fullmatch(pattern, value):
            self.problems.append(f"{name} is {value!r}; right would be {right}.")
        return value

    def app_token(self) -> str:
        """Of Socket Mode, for a laptop: on Function Compute requests come to the function's address alone."""
        value, name = self.value("SLACK_APP_TOKEN"), "SLACK_APP_TOKEN"
        if value and self.value("FC_FUNCTION_NAME"):
            self.problems.append(f"{name} is for Socket Mode on a laptop (make run); unset it on Function Compute.")
        elif value and not value.startswith("xapp-"):
            self.problems.append(f"{name} must be an app-level token (Slack app page, Basic Information, xapp-…).")
        return value

    def url(self, name: str, default: str) -> str:
        return self.checked(name, default, _URL, f"an address such as {default}")

    def regions(self) -> tuple[str, ...]:
        found = _listed(self.value("BOT_REGIONS"))
        wrong = [region for region in found if not re.fullmatch(_REGION, region)]
        if wrong:
            self.problems.append(f"BOT_REGIONS names {wrong[0]!r}; right would be cn-hangzhou,cn-shanghai.")
        return found

    def accounts(self) -> Mapping[str, Account]:
        accounts, problems = places.read(self.value("BOT_ACCOUNTS"), self.value("FC_ACCOUNT_ID"))
        self.problems += problems
        return accounts

    def refuse_limits_nowhere(self, settings: Settings) -> None:
        """A channel that is limited to what no account has would be shown nothing."""
        for channel, limits in settings.channels.items() if settings.account_names else ():
            accounts, regions = ([value for key, value in limits if key == kind] for kind in ("account", "region"))
            if not any(places.within(one, accounts, regions) for one in settings.regions):
                limit = ",".join(f"{key}:{value}" for key, value in limits)
                self.problems.append(f"BOT_CHANNELS limits {channel} to {limit}, which no account of BOT_ACCOUNTS has.")

    def ids(self, name: str, everybody: str, pattern: str, right: str) -> tuple[str, ...]:
        value = self.value(name, everybody)
        found = () if value.lower() == everybody else _listed(value)
        wrong = [one for one in found if not re.fullmatch(pattern, one)]
        if wrong:
            self.problems.append(f"{name} names {wrong[0]!r}; right would be {everybody}, or {right}.")
        return found

    def channels(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """`C1;C2=command:deploy-*,region:cn-hangzhou`: what follows a channel, up to the next one, limits it."""
        value = self.value("BOT_CHANNELS", "any")
        channels: dict[str, tuple[tuple[str, str], ...]] = {}
        channel = ""
        for part in () if value.lower() == "any" else re.split(r"[;,]", value):
            found = re.fullmatch(rf"(?:({_CHANNEL})(?:=(?=.)|\Z))?(?:({_LIMIT}))?", part.strip())
            if found is None or not (found[1] or channel or not part.strip()):
                self._wrong_channel(part.strip())
                continue
            channel = found[1] or channel
            limit = found[2].split(":", 1) if found[2] else ()
            if channel:
                channels[channel] = (*channels.get(channel, ()), *([(limit[0], limit[1])] if limit else []))
        return channels

    def _wrong_channel(self, part: str) -> None:
        right = "any, or channel ids, each with its limits: C024BE7LR;C0613TXKG=command:deploy-*,region:cn-hangzhou"
        self.problems.append(f"BOT_CHANNELS names {part!r}; right would be {right}.")

    def days(self, name: str, default: str) -> int:
        value = self.checked(name, default, r"[1-9][0-9]{0,3}", "a number of days, from 1 to 9999")
        return int(value) if value.isdecimal() else 0

    def port(self) -> int:
        name = "FC_SERVER_PORT" if self.value("FC_SERVER_PORT") else "FC_CUSTOM_LISTEN_PORT"
        value = self.checked(name, "9000", rf"(?!0+\Z)(?:{_PORT})", "a port number")
        return int(value) if re.fullmatch(_PORT, value) else 0

    def store_path(self) -> str:
        url = self.value("BOT_STORE")
        if not url:
            # Not tempfile.gettempdir(): a cold start pays for every import, and that one brings 20 modules.
            folder = self.value("TMPDIR", "/tmp")  # noqa: S108 (the store sees to it that its folder is ours alone)
            return os.path.join(folder, f"cloud-assistant-bot-{os.getuid()}", "bot.sqlite3")
        if url.startswith("tablestore:"):
            return ""
        if not re.fullmatch(r"sqlite:///.+", url):
            right = "sqlite:///path/to/bot.sqlite3 or tablestore://instance.region"
            self.problems.append(f"BOT_STORE is {url!r}; right would be {right}.")
        return url.removeprefix("sqlite:///")

    def tablestore(self) -> Tablestore | None:
        """`tablestore://instance.region`, with `?endpoint=https://…` where it is not reached over the internet."""
        url = self.value("BOT_STORE")
        if not url.startswith("tablestore:"):
            return None
        found = re.fullmatch(_TABLESTORE, url)
        if found is None:
            right = "tablestore://instance.region, where an instance's name has 3 to 16 letters, digits and hyphens"
            self.problems.append(f"BOT_STORE is {url!r}; right would be {right}.")
        if not _installed("tablestore"):
            self.problems.append(
                "BOT_STORE names Tablestore, but its client is not installed; pack with deploy/pack --with tablestore, "
                "or pip install --no-deps -r deploy/requirements-tablestore.txt."
            )
        instance, region, endpoint = found.groups() if found else ("", "", "")
        default = f"https://{instance}.{region}.ots.aliyuncs.com"
        return Tablestore(instance, region, (endpoint or default).replace("{region}", region).rstrip("/"))

    def timezone(self) -> str:
        name = self.value("BOT_TIMEZONE", "UTC")
        if name != "UTC" and not _exists(name):
            self.problems.append(f"BOT_TIMEZONE is {name!r}; right would be a name such as Asia/Shanghai.")
        return name


def _listed(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _exists(zone: str) -> bool:
    import zoneinfo  # only where a zone is set: a cold start pays for every import

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _installed(package: str) -> bool:
    import importlib.util  # only where a package is named: a cold start pays for every import

    return importlib.util.find_spec(package) is not None


Clock = Callable[[], float]
"""Seconds since the epoch; handed in wherever time matters, so that tests can move it."""
