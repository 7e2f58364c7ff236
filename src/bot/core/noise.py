# ruff: noqa: E501, SIM905, S108 (one row a line; lists of words; a path that is looked for)
"""What differs between outputs that say the same: times, process ids, addresses and their like.

A mask that takes too much merges two different failures into one, and the second is never read. So a number is noise
only where its form or the words before it prove what it is, and never after the words of an error, an exit code, a
version or a checksum. A zero is no noise where things are counted: "0 rows" and "12 rows" are different news.
"""

from __future__ import annotations

import re

Found = tuple[str, str]
"""(kind, the text in its place), for example ("pid", "4242")."""

KINDS = (
    "instance name", "instance id", "time", "duration", "pid", "port", "address", "UUID", "id", "counter",
    "temporary path",
)  # fmt: skip

_WEEKDAY, _MONTH = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d:[0-6]\d(?:[.,]\d{1,9})?"
_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d(?![\d:.])"  # without seconds, after a date only: alone it may be anything
_ZONE = r"(?:[ \t]?(?:Z|UTC|GMT|CST|[+-]\d\d:?\d\d)\b)?"
_OCTET, _GROUP = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)", r"[0-9A-Fa-f]{1,4}"
_COUNTED = (
    r"(?:(?:bytes|rows|lines|records|files|directories|packages|requests|connections|items|objects|documents|messages|events"
    r"|blocks|inodes|pages|entries|keys|tasks|jobs|steps|packets|sessions|queries|transactions)(?!\w)"
    r"|[个条行]?(?:文件(?!系统|夹)|目录|软件包|请求|连接|对象|消息|任务|字节|记录|日志)|[个条行次](?!\w))"
)
_UNIT = (
    r"(?:ns|us|µs|ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?|milliseconds?|microseconds?"
    r"|纳秒|微秒|毫秒|秒钟?|分钟?|小时|天)"
)
# By its form, the first that fits, within a line. Before and after stands nothing that makes it a part of a name or a version.
_FORMS = (
    ("UUID", r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![\w-])"),
    ("address", r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![\w:-])|(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}(?![\w:-])"),  # MAC
    ("time", rf"[12]\d{{3}}(?:-\d\d?-|/\d\d?/)\d\d?(?:[T _][ \t]?(?:{_CLOCK}{_ZONE}|{_MINUTE}))?"),
    ("time", rf"(?:\d\d?/\d\d?/|\d\d?\.\d\d?\.)[12]\d{{3}},? {_CLOCK}(?: [AP]M)?|[12]\d{{3}}\.\d\d?\.\d\d? {_CLOCK}"),
    ("time", r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?![\d.])"),
    ("time", r"[12]\d{3}[01]\d[0-3]\dT\d{4,6}(?:\.\d+)?Z?"),
    ("time", rf"(?:{_WEEKDAY},? )?{_MONTH}[a-z]{{0,6}} {{1,2}}\d\d?,? (?:{_CLOCK}{_ZONE}(?: [AP]M)?(?: [A-Z]{{3,4}})?)?(?: ?[12]\d{{3}})?"),
    ("time", rf"(?:{_WEEKDAY},? )?\d\d?[ /-]{_MONTH}[ /-][12]\d{{3}}(?:[: ]{_CLOCK}{_ZONE}(?: [AP]M)?(?: [A-Z]{{3,4}}\b)?)?"),
    ("time", rf"[12]\d{{3}}年 ?\d\d?月 ?\d\d?日(?: ?星期.)?(?: {_CLOCK}(?: [A-Z]{{3,4}}\b)?|[ \t]?\d\d?[:时点]\d\d?(?:分|[:分]\d\d?秒?)?)?"),
    ("time", rf"[IWEF](?:0[1-9]|1[0-2])[0-3]\d {_CLOCK}"),  # of glog: the letter is how bad it is
    ("pid", rf"[1-9]\d{{0,6}}(?=:[MSCX] \d\d {_MONTH} )"),  # Redis
    ("pid", r"(?:hs_err|replay)_pid[1-9]\d{0,6}(?=\.(?:log|mdmp)\b)"),  # of Java
    ("pid", r"core\.(?:[a-z][\w-]{0,15}\.)?[1-9]\d{2,6}(?!\w|\.\w)"),  # what a crash left
    ("time", rf"{_CLOCK}{_ZONE}(?: [AP]M)?(?!:)"),
    ("address", rf"(?=[A-Fa-f:]{{0,30}}\d)(?:(?:{_GROUP}:){{7}}{_GROUP}(?!:)|(?:{_GROUP}:){{1,6}}(?::{_GROUP}){{1,6}}(?!:)|(?:{_GROUP}:){{1,7}}:(?![\w:]))"),
    ("address", rf"{_OCTET}(?:\.{_OCTET}){{3}}(?![\w+~-]|\.\w)"),
    ("id", r"0x(?![Ff]{8}|0{8})[0-9A-Fa-f]{9,16}"),  # an HRESULT has eight digits
    ("temporary path", r"tmp[0-9A-F]{1,4}(?=\.tmp\b)|(?:tmp-)?1[4-9]\d{8}\.\d{1,9}-\d{1,7}-\d{1,20}"),  # of .NET, of Ansible
    ("time", r"1[4-9]\d{8}(?:\.\d{1,9}|\d{3}|\d{6}|\d{9})?(?![\d.])"),  # since 1970
    ("id", r"(?=[a-f]{0,63}\d)(?=\d{0,63}[a-f])(?![0-9a-f]{40}\b)[0-9a-f]{12,64}(?!\w| [ *]\S)"),  # no checksum of a file, no commit
    ("temporary path", r"tmp[._-]?(?=[A-Za-z_]{0,15}[A-Z0-9_])[A-Za-z0-9_]{6,16}(?!\w)"),
    ("duration", r"\d{1,9}\.\d{1,6}(?:/\d{1,9}\.\d{1,6}){2,3} ms"),  # of ping
    ("duration", rf"(?:\d{{1,6}}[ \t]?(?:d|h|m|hours?|mins?|minutes?|小时|分钟?),?[ \t]?){{0,3}}\d{{1,12}}(?:\.\d{{1,9}})?[ \t]?{_UNIT}(?!\w(?<![后前内]))"),
    ("counter", rf"(?<!第)(?<!第 )(?:[1-9]\d{{0,2}}(?:,\d{{3}}){{1,6}}|[1-9]\d{{0,17}})(?=[ \t]?{_COUNTED})"),
    ("counter", r"[1-9]\d{0,6}[ \t]?(?:/|of)[ \t]?\d{1,7}(?=[\])])"),
    ("temporary path", r"(?=\w{0,6}\d[a-z_])[a-z0-9_]{8}(?!\w)"),  # of Python, after a name
    ("", r"\d{1,19}(?:\.\d{1,9})?"),  # a plain number: see _WORDS
)  # fmt: skip
_OF_SPRING = " --- ["
# Of a plain number: (kind, the words before it, what follows it).
_WORDS = (
    ("port", r"\bports?[\"']?[ =:#]{1,3}|端口[ =:：]{0,3}|\d\.\d{1,3}:", r""),  # of a client: see `_is_client`
    ("pid", r"\b(?:p?pid|process(?: id)?|tid|thread|goroutine)(?:[\"']?[ \t]?[=:#：为是][ \t]?|[ \t]{1,3})\(?|(?:进程(?:号|ID)?|线程)[ \t]?[=:：]?[ \t]?|/proc/", r""),
    ("pid", r": line \d{1,6}: +", r" +(?:Killed|Terminated|Aborted|Segmentation|Hangup|Bus)"),
    ("pid", r"[A-Za-z)]\[", r"\](?::| segfault | general protection | trap )"),
    ("pid", r"(?:^|\n)\[\d{1,2}\] {1,2}(?=\Z)", r"(?<=\d{4}) *(?=\n|\Z)"),  # of a job of the shell's
    ("pid", r"(?:^|\n)\[\d{1,2}\][+-]? {1,3}", r" +(?:Running|Done|Exit|Stopped|Killed|Terminated|运行中|已完成|已停止)"),
    ("pid", r"\b(?:thread|exec)-", r"\]"),  # of Java's pools
    ("pid", r"(?<!=)==", r"=="),  # valgrind, sanitizers
    ("pid", r"\] ", r"#\d"),  # nginx: `[error] 12#12: *34 …`
    ("pid", r"\] \d{1,7}#", r": "),
    ("id", r"\d#\d{1,7}: \*", r" "),
    ("pid", rf"{_CLOCK}{_ZONE}(?-i: [A-Z]{{3,4}})? ?\[", r"\] (?:\S{1,80}@\S{1,80} )?(?:TRACE|DEBUG|INFO|NOTICE|WARN|ERROR|FATAL|PANIC|LOG|DETAIL|HINT|STATEMENT)\b"),
    ("pid", rf"{_CLOCK}{_ZONE} {{1,8}}", r" \[(?:Note|Warning|ERROR|System)\]| \w[\w.-]{0,60}\.(?:go|cc|cpp|py|c):\d"),
    ("pid", r"\b(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL) {1,3}", re.escape(_OF_SPRING)),
    ("time", r"(?:^|\n)\[ {0,8}", r"(?<=\.\d{6})\]"),  # since the kernel started
    ("duration", r"\b(?:time|elapsed|duration|took)(?:_\w{1,12})?[\"']?[ \t]?[=: ][ \t]?|(?:耗时|用时)[ \t]?[=:：]?[ \t]?", r"(?! (?:attempts?|tries|retries|times|steps|rounds)\b)"),
    ("counter", r"\b(?:seq(?:uence)?|serial|counter|offset|attempt|retry|iteration|round|session|(?<!pull )req(?:uest)?(?: id)?"
                r"|job|connection)(?:[\"']?[ \t]?[=:#][ \t]?|[ \t]#?)", r""),
    ("counter", r"第[ \t]?", r"[ \t]?[次遍轮]"),
    ("temporary path", r"(?:/tmp/|\\Temp\\|/run/user/)(?:[\w-]{1,30}[.-])?", r""),
)  # fmt: skip
_BEFORE = re.compile("|".join(f"(?P<w{number}>(?:{before})\\Z)" for number, (_, before, _) in enumerate(_WORDS)), re.I)
_AFTER = tuple(re.compile(after) for _, _, after in _WORDS)
_FORM = re.compile("|".join(f"(?P<f{number}>{pattern})" for number, (_, pattern) in enumerate(_FORMS)))
# Where one may begin; nothing else is looked at.
_CANDIDATE = re.compile(
    rf"(?<![0-9A-Za-z_])(?:[A-Za-z]{{0,40}}+[0-9]|(?=[ADFJMNOSTW])(?:{_WEEKDAY}\b|{_MONTH}(?=[a-z]{{0,6}} ))"
    r"|tmp(?=[._-]?\w{6})|core\.(?=[\w.-]{0,17}\d)|(?:hs_err|replay)_pid[0-9]|[A-Fa-f]{1,4}:(?=[0-9A-Fa-f:])|[A-Fa-f]{2}-(?=[0-9A-Fa-f]{2}-)|[A-Fa-f]{8}-)"
)
_REST_OF_WORD = re.compile(r"[\w.]*+")
# Chinese stands beside a number without a space.
_PART_BEFORE = re.compile(r"[A-Za-z0-9_./\\:@+-]")
_PART_AFTER = re.compile(r"[A-Za-z0-9_/\\]|[.:+-][A-Za-z0-9_]")
_FIELD = re.compile(r"[\"']\s?:\Z")  # of JSON
_TEMPORARY = re.compile(r"/(?:tmp|temp)/[\w.-]{1,30}[-_.]\Z", re.I)
# After these stands an error number, an exit code, a version, a checksum.
_NEVER_AFTER = re.compile(
    r"(?:err(?:no|or)?s?|code|exit(?:ed)?|status|(?<!s)rc|ret|return(?:s|ed)?|http(?:/\d\.\d\"?)?|signal|sig|ora|fault|hresult"
    r"|ntstatus|win32|fail(?:ed|ure)?s?|fatal|exception|event ?id|version|release|ver|build|rev(?:ision)?|commit|checksum|digest"
    r"|sha\d{0,3}(?:sum)?|md5(?:sum)?|tag|head(?: is now at)?|sqlstate|clsid|appid|succeeded|success|passed|错误|退出|状态|返回|信号|代码|版本|失败|校验|成功|通过)"
    r"(?:[\s_-]?(?:code|number|no|num|id|status|值|码|号))?[\s:=#(\[\"'：（.,-]{0,4}(?:is|was|of|with)?\s?\Z|:\s?\(\Z",
    re.IGNORECASE,
)
# Ends of the words above and in _WORDS: looked for first, which is ten times as fast.
_NEVER_AFTER_ENDS = tuple(
    'err errno error errs errors code exit exited status rc ret return returns returned http http/1.1" signal sig ora'
    " fault hresult ntstatus win32 fail failed failure failures fatal exception event version release ver build rev"
    " revision commit checksum digest sha sum md tag head now at sqlstate clsid appid number no num id is was of with"
    " 错误 退出 状态 返回 信号 代码 版本 失败 校验 值 码 号 succeeded success passed 成功 通过".split()
)
_WORDS_ENDS = tuple(
    "port ports pid process id tid thread exec goroutine line proc time elapsed duration ms sec seconds took seq sequence serial counter offset attempt"
    " retry iteration round session req request job connection tmp temp user 端口 进程 进程号 线程 耗时 用时 第".split()
)
_BETWEEN_WORDS = " \t=:#([{\"'：（为是.,-/\\_0123456789"  # within a line
_BETWEEN_NUMBERS = "\n" + _BETWEEN_WORDS
_FAILURE = re.compile(
    r"fail|err(?:or|no)?\b|errors|fatal|denied|refused|reject|lost|missing|corrupt|\bbad\b|drop|warn|critical|unreachable"
    r"|invalid|killed|skipped|unable|cannot|\bnot\b|n't\b|timed? ?out|\b(?:un)?block(?:ed|ing)\b|\bhung\b|\bhang|stuck|stall"
    r"|roll(?:ed|ing|s)? ?back|conflict|differ|mismatch|orphan|exhaust|pending|discard|abort|unread|unavailable|leak|giv(?:e|ing) up"
    r"|gave up|\bdead|degraded|broken|damag|overflow|under-?replicated|outdated|vulnerab|duplicate|stale|expired|retr(?:y|ies)\b"
    r"|limit|\bmax|allowed|quota|\bonly\b|\bat (?:most|least)\b|exceed|\btoo (?:small|large|big|many|few|long)|\bneeds?\b|requir|expected"
    r"|\bshort\b|truncat|insufficient|\bfree\b|out of (?:range|bounds)|最多|最大|至少|仅|超过|超出|需要|可用|上限|限制"
    r"|失败|错误|异常|拒绝|丢失|损坏|警告|未|超时|不可|不一致|不匹配|阻塞|卡住|回滚|放弃|冲突|泄漏|积压|重复|缺|不足|过期|跳过",
    re.IGNORECASE,
)
# How far off something is, or when it ends, which is news: `expires in 0 days`, `replication lag: 9000 s`, `notAfter=…`.
_DISTANCE = re.compile(
    r"(?:expir\w*|\blag(?:ging)?|behind|remain\w*|overdue|valid (?:for|to|un?till?|through)|not ?after|drift|skew"
    r"|\boff by|retention|\brp[ot]\b|backup|within|exceed\w*|\bends\b|超过|过期|到期|延迟|落后|剩余|有效期|偏差|还剩|仅剩|备份|保留)[^\d\n]{0,16}\Z",
    re.I,
)
# Before a day that is told of, not the one on which it is told: `no data for 2024-01-15`.
_DAY_OF = re.compile(
    r"(?:\b(?:for|of|in|built|build|compiled|released?|changed|updated|modified|created|partition|dt|latest|newest|oldest|last)\b"
    r"|日期|发布|修改|创建|构建|最新|最近)(?: date)?[^\d\n]{0,8}\Z",
    re.I,
)
_HOUR = re.compile(r"[:.时点]|\dT\d")
_DISTANCE_AFTER = re.compile(r"\s?的|\s?(?:left|remain\w*|behind|overdue|late)\b|[之以]?[后内前]?(?:过期|到期)", re.I)
# Before what was brought there: a commit, a release, a version of four numbers.
_BROUGHT = re.compile(
    r"(?:now at|check(?:ed|ing)? ?out|(?:deploy|updat|upgrad|downgrad|install|migrat|roll)\w* ?(?:back)?|升级|更新|安装|部署|回滚|迁移"
    r"|(?:already|detached) at|reset to|hash(?:es)?|finger ?print|expected|actual|got|image(?: id)?|哈希值?|指纹|摘要|期望|实际)"
    r"(?: version)? ?(?:to|from|到|至|为)?[\s:=\"'（(]{0,3}\Z"
    r"|(?:setting up|unpacking|removing|over) \S{1,38} \(\Z|[0-9a-f]{6}(?: to |\.{2,3})\Z|\) = \Z",
    re.I,
)
_BROUGHT_ENDS = tuple(
    "hash hashes print actual got image id 哈希 哈希值 指纹 摘要 期望 实际 at out back ed ing ion ions e y ll to from version 升级 更新 安装 部署 回滚 迁移 到 至 为 ( ) ..".split()
)
_LEAST_CLIENT = 10_000  # Linux gives 32768 and more, Windows 49152; clients that the outside sees are given others
_SERVICES = frozenset(
    int(port)
    for port in "10050 10051 10248 10249 10250 10255 10256 10257 10259 11211 11434 15672 16379 16443 18080 18083 19092 20880"
    " 25672 26257 26379 27017 27018 27019 28017 50051 50070 61613 61616".split()
)
_FROM = re.compile(r"(?:\b(?:from|client|peer)\b|来自)(?!.{0,30}\bto\b).{0,30}\Z", re.I)
_CONTEXT = 40  # characters before a number that are looked at


def masked(text: str, start: int, end: int) -> tuple[str, list[Found]]:
    """This part of the text with the kind in place of its noise (between NULs, which no output holds), and that."""
    pieces, found, at = [], [], start
    position = start
    while candidate := _CANDIDATE.search(text, position, end):
        position = candidate.start()
        kind, first, last = _noise_at(text, position)
        if not kind or last > end:
            position = max(candidate.end(), _REST_OF_WORD.match(text, position).end())  # type: ignore[union-attr]
            continue
        pieces += [_without_padding(text[at:first]), f"\0{kind}\0"]
        found.append((kind, text[first:last]))
        at = position = last
    return "".join([*pieces, text[at:end]]), found


def _without_padding(before: str) -> str:
    """Numbers are set flush right: `line 3:  812 Killed`, `[   12.5]`."""
    kept = before.rstrip(" ")
    return kept if kept.endswith("[") else f"{kept} " if before.endswith("  ") else before


def _noise_at(text: str, start: int) -> tuple[str, int, int]:
    """The kind of noise that begins here, and where it stands; kind "" where it is none."""
    match = _FORM.match(text, start)
    if match is None:
        return "", start, start
    kind = _FORMS[int(str(match.lastgroup)[1:])][0]
    before, end = text[max(0, start - _CONTEXT) : start], match.end()
    if kind not in ("address", "temporary path", "pid", "") and _PART_AFTER.match(text, end):
        return "", start, start
    if kind:
        kind = kind if _stands_alone(kind, before, match[0]) else ""
    else:
        kind, end = _by_words(text, start, before, match)
    if not kind or _is_news(kind, match[0], text, start, end):
        return "", start, start
    if not _proved(kind, match[0]) and not text.startswith(_OF_SPRING, end) and _never_after(before):
        return "", start, start
    return kind, start + (match[0][0] in "IWEF" and match[0][1].isdigit()), end


def _is_news(kind: str, value: str, text: str, start: int, end: int) -> bool:
    """What has the form of noise, and yet may be what is told."""
    before = text[max(0, start - _CONTEXT) : start]
    if kind == "counter":
        part, _of, whole = value.replace(" ", "").replace("of", "/").partition("/")
        return part == whole or _FAILURE.search(_line(text, start)) is not None
    if kind in ("duration", "time") and (
        _DISTANCE.search(before, before.rfind("\n") + 1) or _DISTANCE_AFTER.match(text, end)
    ):
        return True
    if kind == "time" and not value.isdigit() and _is_day(value):
        begins = not before.rpartition("\n")[2].strip(" [(<\"'")
        return _DAY_OF.search(before) is not None or (not begins and _FAILURE.search(_line(text, start)) is not None)
    if kind == "address" and value.endswith(".0") and text[end : end + 1] != "/":
        return True  # a version
    brought = kind in ("id", "address") or (kind == "time" and value.isdigit())
    near = brought and before.rstrip(" :=\"'（").lower().endswith(_BROUGHT_ENDS)
    return near and _BROUGHT.search(before) is not None


def _is_day(value: str) -> bool:
    """A date without a time of day."""
    return _HOUR.search(value) is None


def _stands_alone(kind: str, before: str, value: str) -> bool:
    """No part of a path, a name, a version; an address may stand in a URL, a temporary name in a path."""
    if kind == "temporary path":
        return _TEMPORARY.search(before) is not None or (value.startswith("tmp") and before.endswith(("/", "\\")))
    if not before or (before.endswith(":") and _FIELD.search(before)):
        return True
    if kind == "pid" and not value.isdigit():
        return before[-1] in "/\\" or not _PART_BEFORE.match(before[-1])
    if kind == "address":
        return before.endswith(("//", "@", ":")) or not _PART_BEFORE.match(before[-1])
    return not _PART_BEFORE.match(before[-1])


def _by_words(text: str, start: int, before: str, match: re.Match[str]) -> tuple[str, int]:
    """What the words around a plain number say that it is."""
    near = (
        "[" in before[-10:]
        or (before.endswith(" ") and (before.count(":") > 1 or text.startswith(_OF_SPRING, match.end())))
        or before[-1:] in ("=", ":", "#", "*")
        or before.endswith("] ")
        or before.rstrip(_BETWEEN_WORDS).lower().endswith(_WORDS_ENDS)
    )
    words = (
        _BEFORE.search(before) if near or "/tmp/" in before or "Temp\\" in before or "/run/user/" in before else None
    )
    if words is None:
        return "", start
    number = int(str(words.lastgroup)[1:])
    kind, end = _WORDS[number][0], match.end()
    whole = match[0].isdigit()
    in_path = before.endswith(("/", "\\", "-")) and kind in ("pid", "temporary path")
    if not _AFTER[number].match(text, end) or (_PART_AFTER.match(text, end) and not in_path):
        return "", start
    if kind in ("pid", "port", "counter") and (not whole or match[0].startswith("0")):
        return "", start
    if kind == "temporary path" and len(match[0]) < 3:
        return "", start
    if kind == "port" and not _is_client(int(match[0]), before):
        return "", start
    return kind, end


def _is_client(port: int, before: str) -> bool:
    """A port that a client was given, not one by which a service is known: 3306 and 6379 are different failures."""
    return (port >= _LEAST_CLIENT and port not in _SERVICES) or (port >= 1024 and _FROM.search(before) is not None)


def _never_after(before: str) -> bool:
    if before.endswith("("):
        return _NEVER_AFTER.search(before) is not None
    near = before.rstrip(_BETWEEN_NUMBERS).lower().endswith(_NEVER_AFTER_ENDS)
    return near and _NEVER_AFTER.search(before) is not None


def _proved(kind: str, value: str) -> bool:
    """No error number and no version looks so."""
    return kind in ("UUID", "temporary path") or (kind == "time" and not value.replace(".", "").isdigit())


def _line(text: str, at: int) -> str:
    """The words around, within the line: what is counted, and whether it went wrong."""
    start, end = text.rfind("\n", max(0, at - 200), at) + 1, text.find("\n", at, at + 200)
    return text[max(start, at - 200) : end if end >= 0 else at + 200]
