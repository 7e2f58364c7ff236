"""What was asked, as a value, and the vocabularies it is told in."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.core.texts import N_

# Regions of ECS in the vendor's metadata, 2026-04. Any other region needs `region:`.
_REGIONS = """
    cn-qingdao cn-beijing cn-zhangjiakou cn-huhehaote cn-wulanchabu cn-hangzhou cn-shanghai cn-nanjing cn-fuzhou
    cn-shenzhen cn-heyuan cn-guangzhou cn-chengdu cn-hongkong cn-wuhan-lr cn-zhongwei cn-zhengzhou-jva
    cn-heyuan-acdr-1 cn-beijing-finance-1 cn-shanghai-finance-1 cn-shenzhen-finance-1 cn-north-2-gov-1
    ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ap-southeast-6
    ap-southeast-7 ap-southeast-8 ap-south-1 us-east-1 us-west-1 us-southeast-1 eu-central-1 eu-west-1 me-east-1
    me-central-1 na-south-1
"""
REGIONS = frozenset(_REGIONS.split())
EVERYWHERE = "all"

# What there may be several of in one question or wish, by the field that holds them.
KINDS = {
    "invocations": N_("invocations"),
    "instances": N_("instances"),
    "addresses": N_("addresses"),
    "names": N_("names"),
    "commands": N_("commands"),
    "regions": N_("regions"),
    "accounts": N_("accounts"),
    "states": N_("states"),
    "reasons": N_("reasons"),
    "tags": N_("tags"),
    "buckets": N_("buckets"),
    "events": N_("events"),
}

# What `reason:` takes: the keys of the table in `reasons`, which the door does not read.
_REASONS = """
    access-denied-status access-violation account-missing address-in-use agent-blocked agent-not-running agent-offline
    agent-old agent-restarted agent-silent agent-upgrading archive arithmetic assertion bad-command bad-encoding
    bad-interpreter bad-option bad-schedule bad-text breakpoint build cancelled cannot-assign client-version clock
    command-not-found config connect-failed connection-refused connection-reset connection-timeout container
    container-ambiguous container-down container-id container-mismatch container-missing container-name
    container-runtime container-unreachable cpu-limit crlf ctrl-c database-connections database-lock database-login
    database-missing database-statement device-missing directory-missing disk-full disk-full-status disk-quota
    dll-missing dns docker-daemon dotnet-crash encoding exception exec-format execution-policy file-busy file-content
    file-exists file-mode file-name file-not-found file-not-made file-path file-size-limit file-there git-state
    group-missing hang-up header-missing health-check heap-corruption host-key illegal-instruction image-missing
    inotify instance-deregistered instance-gone instance-missing instance-not-running instance-restarted interrupted
    invalid io-error killed kubernetes lock-held login missing-library module-missing mount msi-busy msi-failed
    msi-package msi-refused network-unreachable no-command no-command-windows no-inodes no-memory-windows no-systemd
    no-tty no-working-directory not-a-directory not-authorised not-delivered not-executable not-found-there not-sent
    not-stopped oom open-files package-lock package-missing package-script package-signature packages-broken
    password-unread password-wrong path-too-long permission power-off power-off-windows process-limit program-error
    program-missing-status proxy rate-limited read-only reboot reboot-begun reboot-pending reboot-windows repository
    role-wrong schedule-past schedule-too-long schedule-zone security-group segfault selinux server-error
    service-failed service-missing-code service-slow shell-syntax sigabrt sigalrm sigbus sigfpe sigill sigint signal
    sigpipe sigquit sigsys sigterm sigtrap ssh-key stack-overflow stale-handle stopped sudo system-python time-limit
    timeout tls unit-failed unit-masked unit-not-found unknown-code unset-variable user-missing version-mismatch
    waiting-for-input wrong-image wrong-system zone-files
"""
REASONS = frozenset(_REASONS.split())

# What a person types, and the API's InvokeStatus values that it stands for.
STATES: dict[str, tuple[str, ...]] = {
    "failed": ("Failed", "PartialFailed"),
    "running": ("Running",),
    "finished": ("Finished",),
    "stopped": ("Stopped",),
    "stopping": ("Stopping",),
    "success": ("Success",),
    "pending": ("Pending",),
    "scheduled": ("Scheduled",),
}
TYPES = {"shell": "RunShellScript", "bat": "RunBatScript", "powershell": "RunPowerShellScript"}
# Sub-commands that take words of their own, as the first word of a line; and the filters among those words.
STATUS = "status"  # answered even while the bot is paused
ORDERS = (
    *("subscribe", "unsubscribe", "subscriptions"),
    *("mute", "unmute"),
    *("expect", "unexpect", "expectations"),
    *("digest", "handover", "whoami", STATUS),
)
ORDER_KEYS = (
    *("command", "instance", "tag", "region", "bucket", "reason", "events", "at-least", "longer-than", "ring"),
    *("by", "on", "account"),
)
MODES = {"once": "Once", "period": "Period", "nextreboot": "NextRebootOnly", "everyreboot": "EveryReboot"}


class Question(NamedTuple):
    """What was asked, in the API's own terms. `private` is None where nothing was said about it.

    `since` is a span (`2h`), a time of day (`21:00`) or a day with or without one (`2026-11-24t21:00`): what it
    means depends on the asking person's time zone. `size` is 0 where none was asked for. `arguments` are the words
    after a sub-command of ORDERS, which reads them itself. `regions` may be places (see `core.places`).
    """

    subcommand: str = "show"
    topic: str = ""
    invocations: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: str = ""
    history: bool = False
    page: int = 1
    size: int = 0
    command_name: str = ""
    command_type: str = ""
    repeat_mode: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    group: str = ""
    reasons: tuple[str, ...] = ()
    private: bool | None = None
    arguments: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        return EVERYWHERE in self.regions

    @property
    def for_one(self) -> bool:
        """Whether only the person is to see the answer."""
        alone = self.subcommand in ("help", "handover", "whoami") or (self.subcommand == STATUS and not self.arguments)
        return bool(self.private or alone)

    def words(self) -> str:
        """The question in canonical words: `parse` reads them back to an equal question."""
        if self.subcommand == "help":
            return f"help {quoted(self.topic)}" if self.topic else "help"
        if self.subcommand in ORDERS:
            return " ".join([self.subcommand, *map(quoted, self.arguments)])
        pairs = {
            "since": self.since,
            "page": "" if self.page == 1 else str(self.page),
            "size": str(self.size or ""),
            "command": self.command_name,
            "type": _word_for(TYPES, self.command_type),
            "mode": _word_for(MODES, self.repeat_mode),
            "group": self.group,
        }
        return " ".join(
            [
                *([] if self.subcommand == "show" else [self.subcommand]),
                *(self.invocations + self.instances + self.commands + self.addresses),
                *(f"name:{quoted(name)}" for name in self.names),
                *(f"account:{account}" for account in self.accounts),
                *(f"region:{region}" for region in self.regions),
                *self.states,
                *(f"reason:{reason}" for reason in self.reasons),
                *(f"{key}:{quoted(value)}" for key, value in pairs.items() if value),
                *(f"tag:{quoted(f'{key}={value}')}" for key, value in self.tags),
                *(["history"] if self.history else []),
                *([] if self.private is None else ["private" if self.private else "here"]),
            ]
        )


def _word_for(vocabulary: dict[str, str], wanted: str) -> str:
    return next((word for word, value in vocabulary.items() if value == wanted), "")


def quoted(value: str) -> str:
    """The value so that it is read back as one word: in `"…"`, a `"` within it in `'…'` of its own."""
    if re.fullmatch(r"[A-Za-z0-9_*/=.-]*[A-Za-z0-9_*/=-]", value):
        return value
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return '"' + value.replace('"', '"\'"\'"') + '"'
