# ruff: noqa: E501 (one row a line)
"""What secrets look like: the rows that `masking` looks for.

FORMS are secrets by their own form, wherever they stand. SAID stand where only a secret stands: after an option, in
a header, in a URL; what is no value there (`$VAR`, `****`, `required`) is left alone by `is_value`. In every pattern
group 1, where there is one, is the secret. Every pattern takes linear time: what may fail late is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


class Row:
    """A pattern, and a part in lower case that every text holds in which it finds anything.

    That is looked for first, which is ten times as fast; and only where it is there the pattern is compiled, for all of
    them would cost a first answer 20 ms.
    """

    __slots__ = ("_compiled", "_pattern", "hint")

    def __init__(self, hint: str, pattern: str) -> None:
        self.hint, self._pattern = hint, pattern
        self._compiled: re.Pattern[str] | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        if self._compiled is None:
            self._compiled = re.compile(_WORD.sub(r"\1(?<!\\w\1)", self._pattern), re.DOTALL | re.ASCII)
        return self._compiled


def _rows(rows: Iterable[tuple[str, str]]) -> tuple[Row, ...]:
    return tuple(Row(hint, pattern) for hint, pattern in rows)


# A pattern that begins with a literal is found ten times as fast as one that begins with `\b`, so that comes after it.
_WORD = re.compile(r"^\\b([\w-]{2,}+)(?![?*+{|])")


_KEY_BLOCK = r"(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
_START = r"(?<![0-9A-Za-z_+/-])"  # also after `\b` characters that are part of other ids: `disk-…` is no `sk-…`
_URL = r"[0-9A-Za-z_-]"
_BASE64 = r"[0-9A-Za-z+/]"

FORMS = _rows(
    (
        ("private key", rf"-----BEGIN {_KEY_BLOCK}.*?(?:-----END {_KEY_BLOCK}|\Z)"),
        ("private-lines:", r"Private-Lines: \d{1,3}((?:\r?\n[0-9A-Za-z+/=]{1,76})+)"),  # PuTTY
        # The beginning of a key in DER or of OpenSSH's, without the line before it; then all the Base64 that follows.
        (
            "iba",
            rf"{_START}MII{_BASE64}{{2}}[AQgw]IBA[AD](?:{_BASE64}|=|\\?\r?\\?n?\n[ \t]{{0,8}}(?=[0-9A-Za-z+/=])){{20,}}",
        ),
        *(
            (one.lower(), rf"\b{one}[0-9A-Za-z+/=\n]{{30,}}")
            for one in ("MHcCAQEE", "MHQCAQEE", "MIGkAgEB", "MIGHAgEA", "MC4CAQAw")
        ),
        ("b3blbnnzac1rzxktdje", r"b3BlbnNzaC1rZXktdjE[0-9A-Za-z+/=\n]{20,}"),
        ("ls0tls1crudjt", r"LS0tLS1CRUdJTi(?:BSU0Eg|BQUklW|BFQyBQ|BPUEVO|BEU0Eg|BFTkNS)[0-9A-Za-z+/=]{20,}"),
        ("age-secret-key-", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
        *(
            (one.lower(), rf"\b{one}[0-9A-Za-z+/=]{{20,}}")
            for one in ("eyJhdXRocyI6", "ewogICJhdXRocyI6", "ewoJImF1dGhzIjo")
        ),  # logins to registries
        # Alibaba Cloud: AccessKey ids, with the secret where it follows; temporary ids; STS tokens
        ("ltai", r"\bLTAI[0-9A-Za-z]{8,30}\b(?:[\"']?[\s,;:|/]{1,4}[\"']?[0-9A-Za-z]{30}\b)?"),
        ("sts.", r"\bSTS\.[0-9A-Za-z]{8,}"),
        ("tmp.", r"\bTMP\.[0-9A-Za-z]{20,}"),
        ("cai", rf"\bCAI{_BASE64}{{60,}}={{0,2}}"),
        # AWS
        ("akia", r"\bAKIA[0-9A-Z]{16}\b(?:[\"']?[\s,;:|]{1,4}[\"']?[0-9A-Za-z+/]{40}(?![0-9A-Za-z+/]))?"),
        ("asia", r"\bASIA[0-9A-Z]{16}\b"),
        ("fwogzxivyxdz", r"FwoGZXIvYXdz[0-9A-Za-z+/=%]{40,}"),
        ("iqojb3jpz2lu", r"IQoJb3JpZ2lu[0-9A-Za-z+/=%]{40,}"),
        # Tencent Cloud, Baidu AI Cloud, Volcengine and Kingsoft Cloud, JD Cloud
        ("akid", r"\bAKID[0-9A-Za-z_-]{13,60}\b"),
        ("altak", r"\bALTAK[0-9A-Za-z]{16,40}\b"),
        ("aklt", r"\bAKLT[0-9A-Za-z_-]{16,80}"),
        ("jdc_", r"\bJDC_[0-9A-Z]{25,}\b"),
        # Google Cloud
        ("aiza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("gocspx-", r"\bGOCSPX-[0-9A-Za-z_-]{20,}"),
        ("ya29.", r"\bya29\.[0-9A-Za-z_.-]{20,}"),
        ("1//0", r"(?<![\w/:])1//0[0-9A-Za-z_-]{30,}"),
        # Azure: keys of storage and other accounts, client secrets, tokens of DevOps
        ("==", rf"(?<![0-9A-Za-z+/-]){_BASE64}{{86}}=="),
        ("q~", r"(?<![\w~.-])[\w~.-]{3}[0-9]Q~[\w~.-]{31,34}(?![\w~-])"),
        ("azdo", r"\b[0-9A-Za-z]{60,80}AZDO[0-9A-Za-z]{4}\b"),
        # Slack, GitHub, GitLab, Atlassian
        ("xox", r"\bxox[a-z](?:\.xox[bp])?-[0-9A-Za-z%-]{8,}"),
        ("xapp-", r"\bxapp-[0-9A-Za-z-]{8,}"),
        ("gh", r"\bgh[pousr]_[0-9A-Za-z]{20,}"),
        ("github_pat_", r"\bgithub_pat_[0-9A-Za-z_]{20,}"),
        ("gl", r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|soat|agent|imt|ffct)-[0-9A-Za-z_.-]{16,}"),
        ("gr1348941", r"\bGR1348941[0-9A-Za-z_-]{16,}"),
        ("at", r"\b(?:ATATT3|ATBB|ATCTT3)[0-9A-Za-z_=-]{24,}"),
        # Package registries and tools
        ("npm_", r"\bnpm_[0-9A-Za-z]{30,}"),
        ("pypi-", r"\bpypi-[0-9A-Za-z_-]{40,}"),
        ("dckr_", r"\bdckr_[po]at_[0-9A-Za-z_-]{20,}"),
        ("rubygems_", r"\brubygems_[0-9a-f]{40,}"),
        (
            "s.",
            r"(?<![\w.-])s\.(?=[A-Za-z]{0,23}[0-9])(?=[0-9a-z]{0,23}[A-Z])[0-9A-Za-z]{24}(?![\w.(])",
        ),  # Vault before 1.10
        ("hv", r"\bhv[sbr]\.[0-9A-Za-z_-]{20,}"),
        (".atlasv1.", r"\b[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{40,}"),
        ("gls", r"\bgl(?:sa|c)_[0-9A-Za-z_+/=-]{30,}"),
        ("tskey-", r"\btskey-[a-z]{2,10}-[0-9A-Za-z-]{16,}"),
        ("do", r"\bdo[opr]_v1_[0-9a-f]{60,}"),
        ("sq", r"\bsq[upa]_[0-9a-f]{40}\b"),
        ("lin_api_", r"\blin_api_[0-9A-Za-z]{36,}"),
        ("shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-f]{32}\b"),
        ("secret_", r"\bsecret_(?=[A-Za-z]{0,42}[0-9])[0-9A-Za-z]{43}\b"),
        ("ntn_", r"\bntn_[0-9A-Za-z]{40,}"),
        ("pat", r"\bpat[0-9A-Za-z]{14}\.[0-9a-f]{64}\b"),
        ("akcp", r"\bAKCp[0-9A-Za-z]{60,}"),
        ("swmtkn-", r"\bSWMTKN-1-[0-9a-z-]{60,}"),
        ("{ssha", r"\{SSHA(?:256|512)?\}[0-9A-Za-z+/=]{20,}"),
        ("dapi", r"\bdapi[0-9a-f]{32}\b"),
        ("hf_", r"\bhf_[0-9A-Za-z]{30,}"),
        ("sk-", rf"{_START}sk-(?=[0-9A-Za-z_-]{{0,60}}[0-9])[0-9A-Za-z_-]{{24,}}"),
        ("k_", r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,}"),
        ("whsec_", r"\bwhsec_[0-9A-Za-z+/=]{24,}"),
        ("sg.", r"\bSG\.[0-9A-Za-z_-]{20,24}\.[0-9A-Za-z_-]{40,45}"),
        ("sk", r"\bSK[0-9a-f]{32}\b"),
        ("key-", rf"{_START}key-[0-9a-f]{{32}}\b"),
        ("nrak-", r"\bNRAK-[0-9A-Z]{20,}"),
        (":aa", r"(?:(?<![0-9A-Za-z])|(?<=bot))[0-9]{8,10}:AA[0-9A-Za-z_-]{32,34}(?![0-9A-Za-z_-])"),  # Telegram
        # JSON Web Tokens, signed and encrypted
        ("eyj", rf"(?<!{_URL})eyJ{_URL}{{8,}}\.eyJ{_URL}{{8,}}\.{_URL}{{8,}}"),
        ("eyj", rf"(?<!{_URL})eyJ{_URL}{{8,}}\.{_URL}{{0,2000}}\.{_URL}{{8,}}\.{_URL}{{8,}}\.{_URL}{{8,}}"),
        # Addresses that anybody may post to
        ("hooks.slack", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([0-9A-Za-z_/-]{16,})"),
        ("dingtalk.com", r"dingtalk\.com/robot/send[a-z]{0,20}\?[^\s\"'<>]{0,100}?access_token=([0-9A-Za-z]{16,})"),
        ("sec", r"\bSEC[0-9a-f]{64}\b"),  # signs for DingTalk's
        ("/hook/", r"(?:feishu\.cn|larksuite\.com|larkoffice\.com)/[a-z/0-9-]{0,60}hook/([0-9A-Za-z-]{16,})"),
        ("/flow/", r"(?:feishu\.cn|larksuite\.com)/flow/api/trigger-webhook/([0-9a-f-]{16,})"),
        ("qyapi", r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/[a-z_]{1,20}\?[^\s\"'<>]{0,60}?key=([0-9A-Za-z-]{16,})"),
        ("ftqq.com", r"ftqq\.com/(SC[TU][0-9A-Za-z]{20,})"),
        ("discord", r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/([0-9]{10,25}/[0-9A-Za-z_-]{30,})"),
        ("office.com/webhook", r"office\.com/webhookb2?/([0-9A-Za-z@/-]{30,})"),
        ("zip", r"\b(?:un)?zip\s(?:[^\n|;&]{0,300}?\s)??-P ?[\"']?([^\s\"']{1,200})"),
        # Hashes of passwords, as in /etc/shadow
        ("$", r"(?<![\w$])\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2i?d?)\$[0-9A-Za-z./=,+$]{20,}"),
    ),
)

_VALUE = r"""(?:"([^"\n]{1,400})"|'([^'\n]{1,400})'|([^\s"'|;&<>`]{1,400}))"""
# On from a program's name to one of its options, within the same command.
_ON = r"(?=\s)(?:[^\n|;&]{0,300}?\s)??"
_ECHO = r"\becho\s(?:-[en]{1,2}\s)?[\"']?"


def _programs(names: str, option: str) -> Iterator[tuple[str, str]]:
    """One row each: a pattern that begins with a word is quick, one with a choice of words is not."""
    return ((name, rf"\b{name}(?:\.exe)?{_ON}{option}") for name in names.split())


_ANY_NAME = (
    r"[\w.-]{0,60}(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|(?:api|access|private|secret)[_-]?key)"
)

_MIXED = r"(?=[a-z+/]{0,60}[0-9])(?=[0-9+/]{0,60}[a-z])"

_SIGNATURES = (
    r"(?:x-(?:oss|amz|goog|cos|obs|tos)-(?:signature|credential|security-token)|q-signature|q-ak|signature|sig|sign"
    r"|ossaccesskeyid|awsaccesskeyid|accesskeyid|access_?key|googleaccessid|security-?token|(?:access|auth|id|api|refresh)_?token|token"
    r"|auth_?key|api_?key|apikey|key|secret|client_secret|password|passwd|pwd)"
)

SAID = _rows(  # on text in lower case
    (
        # In a URL: a password (which may hold `@` and `/`, but is no port), a token alone, a signature
        ("://", r"://[^\s:/@\"'<>\[]{0,200}:(?![0-9]{1,5}[/?#\s])([^\s\"'<>]{1,200})(?=@[\w.\[-])"),
        ("://", r"://([0-9a-z_~.-]{20,400})@"),
        ("=", rf"[?&]{_SIGNATURES}=([^\s&\"'<>)\]}}#,;]{{16,2000}})"),
        # Headers
        ("authorization", r"authorization[\"']?\s?[:=]\s?[\"']?(?:[a-z][a-z0-9-]{1,20}[ +]|[a-z]{2,10}%20)([0-9a-z._~+/:-]{8,4000}=*)"),
        ("authorization", r"authorization[\"']?\s?[:=]\s?[\"']?(?=[a-z._~+/:-]{0,60}[0-9])([0-9a-z._~+/:-]{20,4000}=*)"),
        ("k", r"[as]k(?<![0-9a-z-]..)[\"']?\s?[=:]\s?[\"']?(?=[0-9]{0,60}[a-z])([0-9a-z+/=_-]{16,200})"),
        ("signature=", r"\bsignature=[\"']?([0-9a-z%+/=_-]{28,})"),
        ("sig=", r"(?<![\w?&])sig=([0-9a-z%+/]{40,200})"),
        ("bce-auth-v", r"bce-auth-v[0-9]/[^\s/]{1,80}/[^\s/]{10,30}/[0-9]{1,8}/[^\s/]{0,300}/([0-9a-f]{64})"),
        ("auth", rf"\bauth (?:plain |login )?{_MIXED}([0-9a-z+/]{{16,400}}={{0,2}})(?![\w.:(-])"),  # SMTP's, Redis'
        ("cookie", r"\bcookie[\"']?\s?[:=]\s?[\"']?(?:[^\n]{0,300}?[;\s])??[\w.-]{0,40}(?:sess(?:ion)?(?:_?id)?|sid|token|auth)=([^\s;,\"']{12,2000})"),
        ("bearer", r"\bbearer(?:[ \t]{1,4}|%20)([0-9a-z._~+/-]{12,4000}=*)"),
        # Options of programs
        *_programs("mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlsh mysqlpump mysqlbinlog mariadb mariadb-dump", rf"-p(?!\s|33[0-9]{{2,3}}\b){_VALUE}"),  # -P3306 is a port
        *_programs("sshpass sqlcmd osql bcp isql ipmitool psexec psexec64", rf"-p ?{_VALUE}"),
        *_programs("redis-cli redis-benchmark", rf"(?:-a|--pass) {_VALUE}"),
        *_programs("beeline", rf"-p {_VALUE}"),
        ("addauth", r"\baddauth digest [^\s:]{1,60}:(\S{1,200})"),
        ("auth-pass", rf"\bauth-pass \S{{1,100}} {_VALUE}"),
        ("setuser", r"\bacl setuser [^\n]{0,100}?[>#]([^\s\"']{3,200})"),
        *((name, rf"\b{name}{_ON}-{one} ?(?!sha|md5|des|aes){_VALUE}") for name in ("snmpwalk", "snmpget") for one in "ax"),
        *_programs("snmpwalk snmpget snmpset snmpgetnext snmpbulkwalk snmpbulkget snmptrap", rf"-c ?(?!public\b){_VALUE}"),
        *(("community", rf"{said}\s(?!public\b|not\b|string\b){_VALUE}") for said in (r"\br[ow]community6?", r"\bsnmp-server community")),
        ("com2sec", rf"\bcom2sec6?\s(?:-cn \S{{1,60}}\s)?\S{{1,60}}\s\S{{1,60}}\s(?!public\b){_VALUE}"),
        *(("radtest", rf"\bradtest\s(?:-[tdp] ?\S{{1,60}}\s|-[46x]\s){{0,4}}\S{{1,100}}\s{rest}") for rest in (
            rf"{_VALUE}(?=\s\S{{1,100}}\s[0-9])", rf"\S{{1,200}}\s\S{{1,100}}\s[0-9]{{1,5}}\s{_VALUE}")),
        ("digest:", r"\bdigest:(?!sha|md5)[^\s:/]{1,60}:([^\s:/\"']{6,200})"),  # ZooKeeper
        ("digest,", r"\bdigest,'[^\s:']{1,60}:([0-9a-z+/]{27}=)"),
        ("user ", r"\buser \S{1,60} (?:on|off) (?:[^\s>#]{1,60} ){0,6}(?:#([0-9a-f]{64})\b|>(\S{3,200})(?=\s[~&+%-]))"),  # Redis' ACL file
        ("@tcp(", r"\b[\w.-]{1,60}:([^\s\"'<>]{1,200})@tcp\("),  # Go's DSN
        ("bind", rf"bind_?pw\s{{0,4}}[=: ]\s{{0,4}}{_VALUE}"),
        ("etcdctl_user", r"\betcdctl_user=[\"']?[^\s:]{1,60}:([^\s\"']{1,200})"),
        *_programs("nmcli", rf"password {_VALUE}"),
        ("|", rf"\| {{0,20}}(?:(?:access|secret)[ _-]?(?:access[ _-]?)?key(?:[ _-]?(?:id|secret))?|[as]k|(?:[a-z]{{1,20}}[ _-])?(?:token|secret|password)|密码|密钥|令牌) {{0,40}}\| {{0,3}}{_MIXED}(\S{{8,200}}) {{0,60}}\|"),  # tables
        ("openssl enc", rf"\bopenssl enc{_ON}-k {_VALUE}"),
        *_programs("mongo mongosh mongodump mongorestore mongoexport mongoimport", rf"-p {_VALUE}"),
        *_programs("ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd ipa-client-install", rf"-w {_VALUE}"),
        *_programs("docker podman nerdctl helm skopeo crane oc az", rf"login{_ON}-p[ =]{_VALUE}"),
        *_programs("ossutil ossutil64 obsutil", rf"(?:-k|--access-key-secret)[ =]{_VALUE}"),
        *_programs("coscmd", rf"-s {_VALUE}"),
        *_programs("mc", rf"(?:alias set|config host add) (?:\S{{1,100}} ){{3}}{_VALUE}"),
        *_programs("7z 7za", rf"-p(?!\s){_VALUE}"),
        *_programs("rar unrar", rf"-h?p(?![\s-]){_VALUE}"),
        *_programs("curl wget http etcdctl", r"(?:-u|--user|--proxy-user|-a)[ =]?[\"']?[^\s:\"'/]{1,100}:([^\s\"']{1,200})"),
        *((one, rf"\b{one}{_ON}-u ?[\"']?[^\s%\"']{{1,100}}%([^\s\"']{{1,200}})") for one in ("net rpc", "net ads")),
        *_programs("smbclient rpcclient winexe", r"-u ?[\"']?[^\s%\"']{1,100}%([^\s\"']{1,200})"),
        *_programs("lftp", rf"-u ?[^\s,]{{1,100}},{_VALUE}"),
        *_programs("sqlplus sqlldr expdp impdp rman", r"[\"']?[a-z0-9_$#]{1,60}/([^\s@/\"'.]{1,100})(?=[@\s]|$)"),
        *_programs("rabbitmqctl", rf"(?:add_user|change_password|authenticate_user)\s\S{{1,100}}\s{_VALUE}"),
        *_programs("wpa_passphrase", rf"\S{{1,40}} {_VALUE}"),
        ("net use", rf"\bnet use\s(?:\S{{1,3}}\s)?\\\\\S{{1,200}}\s(?:/user:\S{{1,100}}\s)?(?![/*]){_VALUE}"),
        ("setx", rf"\bsetx\s(?:/m\s)?{_ANY_NAME}\s{{1,3}}(?!/){_VALUE}"),
        *_programs("schtasks", rf"/rp {_VALUE}"),
        ("jdbc:oracle", r"jdbc:oracle:[a-z]{1,5}:[a-z0-9_$#]{1,60}/([^\s@/\"']{1,100})@"),
        ("chpasswd", rf"{_ECHO}[a-z_][\w.-]{{0,40}}:([^\n\"'|]{{1,200}}?)[\"']?\s{{0,3}}\|\s?(?:sudo )?chpasswd"),
        ("--stdin", rf"{_ECHO}([^\n\"'|]{{1,200}}?)[\"']?\s{{0,3}}\|\s?(?:sudo )?passwd\s[^\n|;]{{0,60}}--stdin"),
        ("--password-stdin", rf"{_ECHO}([^\n\"'|]{{1,200}}?)[\"']?\s{{0,3}}\|\s?(?:sudo )?[a-z]{{3,10}}\s[^\n|;]{{0,200}}--password-stdin"),
        ("kinit", rf"{_ECHO}([^\n\"'|]{{1,200}}?)[\"']?\s{{0,3}}\|\s?kinit\b"),
        ("<<<", rf"(?:--password-stdin|--stdin|\bkinit|\bsmbpasswd|\brealm|\bcryptsetup|\bsudo -s)[^\n|;<]{{0,60}}<<<\s?{_VALUE}"),
        ("sshpass=", rf"sshpass={_VALUE}"),
        ("reset-admin-password", rf"reset-admin-password {_VALUE}"),
        ("sudo -s", rf"{_ECHO}([^\n\"'|]{{1,200}}?)[\"']?\s{{0,3}}\|\s?sudo -s\b"),
        ("htpasswd", rf"\bhtpasswd\s(?:-[a-z0-9]{{1,6}}\s){{0,3}}-[a-z0-9]{{0,5}}b[a-z0-9]{{0,5}}\s(?:\S{{1,200}}\s){{1,2}}{_VALUE}(?=\s|$)"),
        ("net user", rf"\bnet user[ \t]{{1,3}}(?:\"[^\"\n]{{1,60}}\"|[^\s/\"]{{1,60}})[ \t]{{1,3}}(?![/*]){_VALUE}"),
        ("pass:", rf"(?<![\w-])pass:{_VALUE}"),  # openssl -passin; cmdkey /pass:
        ("-asplaintext", rf"convertto-securestring\s(?:-string\s)?{_VALUE}(?=[^\n]{{0,60}}-asplaintext)"),
        # Files and languages
        ("password", rf"\blogin\s{{1,8}}\S{{1,200}}\s{{1,8}}password\s{{1,8}}{_VALUE}"),  # .netrc
        ("password", rf"\bmachine\s{{1,8}}\S{{1,200}}\s{{1,8}}password\s{{1,8}}{_VALUE}"),
        (":543", r"(?<!\S)[\w.*-]{1,200}:543[0-9]:[\w*-]{1,64}:[\w*-]{1,64}:([^\s:]{1,200})(?!\S)"),  # .pgpass
        ("set password", r"set password for \S{1,100}\s?=\s?(?:password\s?\(\s?)?'([^'\n]{1,200})'"),
        ("identified", r"\bidentified\s(?:with\s\S{1,40}\s)?(?:by|as)\s(?:password\s)?'([^'\n]{1,200})'"),
        ("passw", r"\bpassw(?:or)?d(?:\s{1,2}|\s?[(=]\s?)'([^'\n]{1,200})'"),
        *((one, rf"\b{one}\s{_VALUE}") for one in ("requirepass", "masterauth")),
        # A name and a value with nothing but space between them: only where the value is made by a machine
        *((hint, rf"{name} {{1,3}}[\"']?(?=[a-z+/_-]{{0,60}}[0-9])(?=[0-9+/_-]{{0,60}}[a-z])([0-9a-z+/_-]{{20,200}}={{0,2}})(?![\w.:(])") for hint, name in (
            ("key", r"(?:secret_?access_?key|access_?key[_ ]?secret|secret_?key)"), ("authtoken", r"authtoken"), ("password", r"\bpassword"))),
        ("password", r"\bpassword \"(?=[^\"\n]{0,100}[0-9])([^\s\"]{6,100})\""),
        ("token", r"\btoken[^\n]{0,40}?(?<![\w.])([0-9a-z]{6}\.(?=[a-z]{0,15}[0-9])[0-9a-z]{16})(?![\w.])"),  # of kubeadm
        ("unseal key", r"\bunseal key [0-9]{1,2}: (\S{30,200})"),
        *((hint, rf"{hint}[\"']?\s?[:=]\s?[\"']?([0-9a-f]{{32,64}})\b") for hint in ("routing_key", "mch_key", "mchkey", "sonar.login")),
        # Ids and secrets given to a client in code
        *((hint, rf"{hint}\(\s?[\"'][^\"'\n]{{4,80}}[\"'],\s{{0,4}}[\"']{_MIXED}([0-9a-z+/]{{20,100}}={{0,2}})[\"']") for hint in ("auth", "client", "credential", "credentials", "session")),
        ("<", r"<(?:[a-z]{1,20}[:_-])?(?:password|passwd|pwd|secret|token|api_?key|access_?key(?:_?secret)?)>([^<\n]{4,400})</"),
        # A name and a value, each in a field of its own: environments of containers, property files in XML
        *(("value", rf"\b{one}\\?[\"']?\s?[:=]\s?\\?[\"']?{_ANY_NAME}\\?[\"']?,?\s{{0,20}}\\?[\"']?value\\?[\"']?\s?[:=]\s?\\?{_VALUE}") for one in ("name", "key")),
        ("</name>", rf"<name>{_ANY_NAME}</name>\s{{0,40}}<value>([^<\n]{{4,400}})</value>"),
        *(("</", rf"\b{one}=[\"']{_ANY_NAME}[\"']>([^<\n]{{4,400}})</") for one in ("name", "key")),
        ("send", r"passw(?:or)?d[^\n]{0,40}\n?[^\n]{0,40}\bsend\s(?:--\s)?\"([^\n\"\\]{4,200})"),
        ("psk", rf"\bpsk\s?[=:]\s?{_VALUE}"),
        # In Chinese, where no space stands between words
        *((word, rf"{word}[^\S\n]?(?:(?:已?(?:设置|重置|修改|更新))?[为是成]?[：:=]|(?:已?(?:设置|重置|修改|更新))?[为是成])\s{{0,3}}[\"'“]?(?=[!-~]{{0,60}}[0-9])([!-~]{{6,200}})") for word in ("密码", "口令", "密钥", "令牌")),
        ("密码", r"(?:默认|初始|临时|新|登录|管理员)密码\s{1,3}(?=[!-~]{0,60}[0-9])(?=[!-~]{0,60}[a-z])([!-~]{6,200})"),
        # What installers tell
        ("password is", r"password is:? {1,2}[\"']?(?=[!-~]{0,60}[0-9])(?=[!-~]{0,60}[a-z])([!-~]{6,200})"),
        ("temporary password", r"temporary password is generated for \S{1,100}: (\S{6,100})"),
        ("password for", r"password for [^\n:]{1,60}(?:superuser|user|account|admin\w{0,10}|root\S{0,60})[^\n:]{0,30}(?: is)? ?: ?(\S{6,100})"),
        ("password for", r"password for [^\n:]{1,80}(?:://[^\n:]{1,80})?: (?=[^\s]{0,60}[0-9])([^\s:]{6,100})(?=[ \t\r]*(?:\n|\Z))"),
        ("following password", r"following password[^\n]{0,60}\n\s{0,6}([0-9a-f]{32})\b"),
    ),
)  # fmt: skip

_NO_VALUE = re.compile(
    r"""[*x•●.…_#=?-]*|\*/.*"""  # masked or empty; patterns of sed
    r"|`.*|\$\w*|\$[{(].*|%\w*%?|%\{.*|@[\w.-]*@|:\w+|!?\{+.*|<.*|\[.*|&\w+;.*"  # variables of shells, templates, SQL
    r"|(?:~|\.{1,2})?/(?:etc|var|usr|opt|home|root|run|tmp|mnt|data\w*|proc|dev|srv|apps?|secrets?|bin|lib\d*|sys"
    r"|boot|media|volumes?|users?|code|workspace|certs?|keys?|conf\w*|work)?(?:/.*)?|\.{1,2}/.*|~.*"  # paths
    r"|[a-z]:[\\/].*|\\\\.*|[a-z][a-z0-9+]*://.*"
    r"|(?:self|this|cls|config|conf|cfg|settings|os|env|environ|process|args|options|opts|params|request|req|response"
    r"|ctx|context|user|app|vars?|local|data|module|props|system|secrets?|credentials?|input|values)\.[a-z_].*"  # code
    r"|your[ _-].*|.*[ _-]here"
    r"|none|null|nil|nan|undefined|true|false|yes|no|on|off|ok|unset|set|empty|blank|default|redacted|hidden|masked"
    r"|filtered|removed|omitted|protected|sensitive|encrypted|required|optional|missing|invalid|incorrect|wrong|bad"
    r"|expired?|expires|expiring|changed?|unchanged|updated?|reset|enabled?|disabled?|present|absent|provided|given"
    r"|denied|failed|failure|success(?:ful)?|accepted|rejected|authentication|authorization|unknown|n/?a|ask|prompt"
    r"|file|env|string|str|text|bytes|object|int|char|varchar|type|value|name|length|must|should|cannot|again|prompt"
    r"|password|passwd|pwd|secret|token|username|user|bearer|basic|digest|negotiate|realm|login|error|and|or|the|for"
    r"|is|was|not|from|with|that|this|has|have|are|valid|found|created?|generated?|granted|revoked|verified",
    re.IGNORECASE | re.DOTALL,
)


def is_value(value: str) -> bool:
    """Whether this can be a secret; not where it stands for one, says something about one, or hides one already."""
    return len(value) > 2 and "[masked]" not in value and _NO_VALUE.fullmatch(value.strip("\"'\\.,:;)")) is None
