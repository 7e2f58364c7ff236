"""How lines read that name a failure without being one. All in lower case, for one line.

As sources of patterns: they are compiled when first needed, so that importing them costs nothing.
"""

from __future__ import annotations

import re
from functools import cache

# What only shows the command or a stack frame.
ECHOED = (
    r"\A(?:\++ (?!categoryinfo|fullyqualified)"  # set -x, and PowerShell's copy of the line
    r"|(?:ps )?[a-z]:\\[^>]{0,120}>|\$ |>>> "
    r"|#+ (?!there is insufficient memory|native memory|out of memory|java\.lang\.outofmemoryerror|creating server"
    r"| sig[a-z]{3,4} )|// |rem |::"  # prompts, comments
    r"|[\w.-]{1,60}@[\w.-]{1,60}[: ][^$#]{0,80}[$#] "
    r"|(?:if|elif|while|until|for) .{0,300}; ?(?:then|do)\b"
    r"|(?:echo|printf|grep|egrep|sed|awk|if|elif|while|until|logger|write-\w{1,20}|throw|raise|print)"
    r"(?: +-\w{1,20}){0,4} *[\"'$(\[“]"
    # options and codes, explained; what Git and SQL show
    r"|-{1,2}[a-z][\w-]{0,40}(?:[ ,=][\w<\[-]{1,40}){0,3} {2,}\S|\d{1,5} {2,}[^\W\d]"
    r"|commit [0-9a-f]{4,40}\b|(?:\*\W{0,6})?(?=[a-f]{0,9}\d)[0-9a-f]{7,10} (?=[a-z])"
    r"|- {1,40}(?:raise|throw|print|return)\b|- \[[ x]\] |usage: "
    r"|create (?:table|index|view|user|database)\b|insert into\b|alter table\b|delete from\b|update \S{1,60} set\b"
    r"|select .{1,200}\b(?:from|as)\b"
    r"|at [\w.$<>]{1,200}\(|file \"|\.\.\. \d{1,5} more)"  # stack frames
)
# What denies a failure, looks for one, or tells of one that did not matter.
HARMLESS = (
    r"^sudo: unable to resolve host|\bno (?:errors?|problems?|issues?|failures?)\b"
    r"|\b(?:errors?|failures?|failed)[=: ]{1,3}0\b"
    r"|\b0 (?:errors?|failures?|failed)\b"
    r"|\b(?:checking|checked|(?<!; )check|(?<!while )looking|searching|watch(?:ing)?) (?:for|if|whether)\b"
    r"|\bif (?:you|this|it|the)\b|\b(?:may|might|could) (?:occur|happen|appear)\b"
    r"|\bprevious run (?:failed|ended|had|was)\b"
    r"|\bas expected\b|\bexpected (?:to|error|failure|result)"
    r"|\b(?:is|was|are|were) expected\b|\be\.g\.(?! nfs, cifs)"
    r"|\bfor example\b(?!\.)|\bsee also\b"
    r"|\b(?:messages?|handling|tests?|checks?|hints?|alerts?) (?:for|of|about|on) [\"“'‘]"
    r"|[✓✔☑]|(?:\.\.\.|…|(?<!cafile)(?<!crlfile):|\]) ?(?:ok|passed|pass|none|absent|clean)\b"
    r"|(?:\.\.\.|…|[:：]|\]) ?(?:正常|通过|无|否|成功)$|^(?:(?:ok|pass(?:ed)?)\b|\[ *(?:ok|pass(?:ed)?) *\])"
    r"|\bpassed$|\bfixed\b|(?<!be )\bresolved\b(?! host)"
    r"|\bignor(?:ed|ing|e)\b|\bskip(?:ped|ping)?\b|\bharmless\b|\bnon-fatal\b|\bno longer\b(?! has a release)"
    r"|(?<!selinux is )(?<!problems )\bprevent(?:s|ed|ing)?\b"
    r"|\bavoid|\busing .{1,60} instead\b|, using \S|\bdo you (?:get|see|have)\b.{0,80}\?"
    r"|\|\| true|\btips?:|\bhints?:|\bhelp:|\bdocs?:|\bdocumentation\b|\bexplained (?:at|in)\b"
    r"|\bpreviously\b|\blast (?:week|night|month|time)\b|\byesterday\b"
    r"|\b(?:alert rules?|runbook|faq|readme|changelog|release notes?)\b|\btest_\w{1,60}\b.{0,60}\b(?:ok|passed)\b"
    r"|^\W{0,4}(?:[0-9a-f]{3,12} )?(?:fix(?:es|ed)?|handle[sd]?|improve[sd]?|add(?:s|ed))\b[: ]"  # what was changed
    r"|未发现|没有发现|未出现|没有出现|无异常|未检测到|已忽略|忽略|跳过|不再|(?<!未)预期|如果(?!包括路径)|如遇|若(?:遇|出现)|^提示[:：]|示例|上次|历史"
    r"|检查是否|已修复|已解决|已恢复"
)
# A log level below a warning.
LEVEL = r"\A[^a-z]{0,40}(?:\w{1,20}[ :|]{1,3}){0,2}[\[(]?(?:level=)?(?:info|debug|trace|notice|信息|调试)\b"
# What was a warning, or was tried again.
RETRIED = (
    r"\bwarn(?:ing)?\b(?! {2,}\w)|(?<!fork: )\bretry|\bretries|\bretried"
    r"|\battempt\b(?! to (?:add|subtract|multiply|divide|negate|shift|calculate)\b)"  # Rust's panics
    r"|\btrying (?:again|another|other|next)|\bwill try\b|\bfall(?:ing)? ?back"
    r"|\A[^a-z]{0,30}(?:w:|notice:)|重试|警告|再次尝试"
)
# That something is tried again.
AGAIN = (
    r"(?<!fork: )\bretry|\bretries|\bretried|\battempt\b|\bagain\b|\bfall(?:ing)? ?back|\bmirror\b"
    r"|\bsecond try\b|重试|再次|备用|第 ?\d+ ?次"
)
# That something went well.
WELL = (
    r"\b(?:succeeded|success|successful|successfully|recovered|connected|done|completed?|established|reachable|downloaded|healthy"
    r"|ok|finished|passed)\b|成功|完成|恢复|正常"
)
# A complaint, of whatever.
BADLY = (
    r"\b(?:error|errors|fail|fails|failed|failure|fatal|cannot|can't|could not|couldn't|unable|exception"
    r"|denied|refused|invalid|missing|abort\w*|mismatch|rejected|unexpected|expired|bad"
    r"|not (?:found|allowed|supported|valid)|unsuccessful\w*|panic)\b"
    r"|错误|失败|无法|异常|不匹配|拒绝"
)
# What only repeats that something failed.
REPEATS = (
    r"\bmake(?:\[\d+\])?: \*\*\*|\bexit(?:ed|ing|s)?\b(?:.{0,20}(?:code|status|now|[1-9]))?|\bnon-?zero\b"
    r"|\berror \d+$|\bgiving up\b"
    r"|\baborting\b|\bstop\.$|not recoverable|due to previous errors|error code|\broll(?:ed|ing)? ?back"
    r"|\b\w{1,20} (?:has |was )?failed[.!]?$"
    r"|\bnpm err!|\bfailed to (?:deploy|install|start|run|build|complete)\b.{0,40}$|错误状态|错误 \d+$"
    r"|失败[。!！]?$|^\s|\+ (?:category|fully)|see ['\"`]|usage:"
    r"|\bplay recap\b|\bunreachable=\d+ {1,8}failed=\d"
    r"|\bmore details here:|\bfailed to verify the legitimacy\b|\bsecure connection to it\b"  # what curl explains
    r"|\bhow to fix it, please\b|\bno listening sockets available\b|\bunable to open logs\b"
    r"|\banother git process seems\b|\ban editor opened by\b|\bare terminated then try again\b"  # and what Git does
    r"|\bmay have crashed in this repository\b|\bremove the file manually\b"
    r"|\bcommand failed\b|\bat line:|\bplease (?:check|see)\b|\bdeploy(?:ment)? (?:failed|aborted)"
)
# A line of a log, which may tell of another time.
LOGGED = (
    r"\A\W{0,3}(?:\d{4}[-/]\d\d[-/]\d\d[t ]\d\d:\d\d|[a-z]{3} {1,2}\d{1,2} \d\d:\d\d:\d\d"
    r"|\d\d:\d\d:\d\d\b|\S{1,200}\.(?:log|out|err)(?:\.\d{1,3})?[:：]|\d{1,6}(?:[:-]| [a-z]))"
)
# What stands before and after a failure that is denied: `no connection refused`, `out of memory: 0`.
DENIED_BEFORE = (
    r"(?:\b(?:no|not|0|zero|without|never|nor|any)|n't|非|未|无|没有[\u4e00-\u9fff]{0,2})"
    r"(?: any| more| been| seen| an?)? ?[\"'“(]?\Z"
)
DENIED_AFTER = (
    r"\A[\"'”)]?(?: (?:errors?|failures?|events?|messages?|lines?|count|hits?|matches|total|kills?))?"
    r"\s{0,2}[:=|]?\s{0,2}(?:0\b(?![x.])|none\b|no\b(?=[\s,.;)\"'”]*$)|false\b|否|无\b)"
)


@cache
def compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.MULTILINE)


def says(source: str, line: str) -> bool:
    return compiled(source).search(line) is not None
