"""Everything that may go wrong in words a person can use.

BotError
├─ UserError      its text is written for the person who asked, and said in their language
│  ├─ UsageError  the words could not be read
│  ├─ NotFound    read, asked, and not there
│  └─ NotAllowed  not to this person, or not here
├─ CloudError     Alibaba Cloud did not answer the question; carries its request id
│  ├─ Throttled   refused for now; `wait` says for how long
│  ├─ Denied      refused for good: rights or credentials
│  │  └─ RoleRefused  the role of another account may not be taken on
│  └─ Unavailable broken, slow or unreadable after our retries
└─ SlackError     Slack did not take a message; `code` is Slack's own word

Any other exception is a crash: it fails the job, so that Function Compute delivers it again.
"""

from collections.abc import Callable

from bot.core import places
from bot.core.texts import Text, _

OUT_OF_TIME = "OutOfTime"  # a code of ours: no reply while there was time for one
_OF_KEYS = (
    *("InvalidAccessKeyId", "InvalidSecurityToken", "MissingSecurityToken", "SignatureDoesNotMatch"),
    *("IncompleteSignature", "NoCredentials"),
)


class BotError(Exception):
    """Base of all errors that are expected and told."""


class UserError(BotError):
    """Shown to the person, privately, in their language, which who raises it need not know: so it is said when it is
    read. A text and the fields in it (see `texts.Text`), or a function that says it.
    """

    def __init__(self, text: str | Callable[[], str], /, **fields: object) -> None:
        super().__init__(text)
        self._say = text if callable(text) else Text(text, **fields).__str__

    def __str__(self) -> str:
        return self._say()


class UsageError(UserError):
    """The words could not be read; the text names the nearest right ones."""


class NotFound(UserError):
    """Nothing with this id or name where we looked; the text says where that was."""


class NotAllowed(UserError):
    """Refused to this person, in this channel, or for want of what it needs; the text says why and whom to ask."""


class CloudError(BotError):
    """An API call failed. `action` and `region` name it; `code` and `request_id` are the API's, maybe empty."""

    def __init__(self, action: str, region: str, code: str = "", request_id: str = "") -> None:
        super().__init__(f"{action} in {region}: {code or 'no answer'}")
        self.action, self.region, self.code, self.request_id = action, region, code, request_id

    @property
    def of_keys(self) -> bool:
        """Whether the keys themselves were not accepted, whatever they may do."""
        return self.code.startswith(_OF_KEYS)

    @property
    def reason(self) -> str:
        """For a person, in a few words: the API's code, or that there was no reply."""
        if self.code == OUT_OF_TIME:
            return _("no reply in time")
        return self.code or _("no reply")


class Throttled(CloudError):
    """The API refuses calls until `wait` seconds have gone by."""

    def __init__(self, action: str, region: str, wait: float, code: str = "Throttling", request_id: str = "") -> None:
        super().__init__(action, region, code, request_id)
        self.wait = wait


class Denied(CloudError):
    """Rights, credentials or parameters are wrong: asking again gives the same answer."""


class RoleRefused(Denied):
    """The role of another account may not be taken on; `role` is its ARN, `region` the place that was to be asked."""

    def __init__(self, place: str, role: str, code: str, request_id: str = "") -> None:
        super().__init__("AssumeRole", place, code, request_id)
        self.role = role

    @property
    def reason(self) -> str:
        """Why the account is not read, and what mends it."""
        if self.of_keys:
            return _("my keys are not accepted ({code})", code=self.code)
        return _(
            "the account {account} did not give me the role {role} ({code}). My own role needs sts:AssumeRole on it, "
            "and its trust policy must name my role",
            account=places.account_of(self.region),
            role=self.role,
            code=self.code or _("no reason given"),
        )


class Unavailable(CloudError):
    """Time-outs, resets, 5xx, replies that cannot be read; our retries are used up."""


class SlackError(BotError):
    """Slack refused a call. `code` is Slack's error; `retry_after` seconds where Slack asks us to wait."""

    def __init__(self, method: str, code: str, retry_after: float | None = None) -> None:
        super().__init__(f"{method}: {code}")
        self.method, self.code, self.retry_after = method, code, retry_after
