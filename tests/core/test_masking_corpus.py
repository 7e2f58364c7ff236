# ruff: noqa: E501 (one sample a line)
"""Real logs keep their words; secrets of the world's clouds, tools and files do not stay in them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bot.core.masking import MASK, mask

LOGS = Path(__file__).parent / "logs"
LINES = [line for log in sorted(LOGS.glob("*.txt")) for line in log.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("log", sorted(LOGS.glob("*.txt")), ids=lambda log: log.stem)
def test_logs_without_secrets_stay_as_they_are(log: Path) -> None:
    text = log.read_text(encoding="utf-8")
    assert mask(text) == (text, 0)


def test_no_line_of_a_log_raises_an_alarm_by_itself() -> None:
    assert [masked for line in LINES for masked, count in (mask(line),) if count] == []


# Made here, so that no text of this file looks like a secret that somebody lost.
ALNUM = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4"
HEX = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2
UPPER = "A1B2C3D4E5F6G7H8I9J0K1L2"
BASE64 = base64.b64encode(bytes(range(7, 255))).decode()
UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
PASSWORD = "S3cr" + "et!Pass"
KEY_LINES = "\n".join(BASE64[at : at + 64] for at in range(0, 320, 64))
LTAI, AKIA = "LT" + "AI5t" + ALNUM[:18], "AK" + "IA" + UPPER[:16]
JWT = ".".join(("ey" + "J" + ALNUM[:20], "ey" + "J" + ALNUM[5:40], ALNUM[:43]))

ALONE = {
    "Alibaba Cloud AccessKey id": LTAI,
    "Alibaba Cloud temporary id": "ST" + "S.NU" + ALNUM[:22],
    "Alibaba Cloud STS token": "CA" + "IS" + BASE64[:200].replace("=", ""),
    "login to a registry": base64.b64encode(b'{"auths":{"r.example.com":{"username":"deploy","password":"x"}}}').decode().rstrip("="),
    "AWS id": AKIA,
    "AWS temporary id": "AS" + "IA" + UPPER[:16],
    "AWS session token": "IQo" + "Jb3JpZ2lu" + BASE64[:180],
    "Tencent Cloud": "AK" + "ID" + ALNUM[:32],
    "Baidu AI Cloud": "AL" + "TAK" + ALNUM[:21],
    "Volcengine": "AK" + "LT" + ALNUM[:43],
    "Google API key": "AI" + "za" + ALNUM[:35],
    "Google client secret": "GOC" + "SPX-" + ALNUM[:28],
    "Google access token": "ya" + "29." + ALNUM[:40],
    "Azure account key": BASE64[:86] + "==",
    "Azure client secret": ALNUM[:3] + "8Q" + "~" + ALNUM[:34],
    "Slack bot": "xo" + "xb-123456789012-1234567890123-" + ALNUM[:24],
    "Slack cookie": "xo" + "xd-" + ALNUM[:30],
    "Slack app": "xa" + "pp-1-A012-345-" + HEX,
    "GitHub": "gh" + "p_" + ALNUM[:36],
    "GitHub app": "gh" + "s_" + ALNUM[:36],
    "GitHub fine-grained": "github" + "_pat_" + ALNUM[:22] + "_" + ALNUM,
    "GitLab": "gl" + "pat-" + ALNUM[:20],
    "GitLab deploy": "gl" + "dt-" + ALNUM[:20],
    "GitLab runner": "gl" + "rt-" + ALNUM[:20],
    "npm": "np" + "m_" + ALNUM[:36],
    "PyPI": "py" + "pi-AgEIcHlwaS5vcmc" + ALNUM,
    "Docker Hub": "dck" + "r_pat_" + ALNUM[:27],
    "Vault": "hv" + "s." + ALNUM[:24],
    "Stripe": "sk" + "_live_" + ALNUM[:24],
    "AI platforms": "sk" + "-" + HEX[:32],
    "SendGrid": "SG" + "." + ALNUM[:22] + "." + ALNUM[:43],
    "Telegram": "123456789:" + "AA" + ALNUM[:33],
    "Vault before 1.10": "s" + "." + ALNUM[:24],
    "Linear": "lin" + "_api_" + ALNUM[:40],
    "Shopify": "shp" + "at_" + HEX[:32],
    "Notion": "secret" + "_" + ALNUM[:43],
    "Airtable": "pat" + ALNUM[:14] + "." + HEX,
    "Artifactory": "AK" + "Cp8" + ALNUM + ALNUM[:20],
    "SonarQube": "sq" + "u_" + HEX[:40],
    "Docker Swarm": "SWM" + "TKN-1-" + HEX[:50] + "-" + HEX[:25],
    "hash of LDAP": "{SS" + "HA}" + ALNUM[:32],
    "DigitalOcean": "do" + "p_v1_" + HEX,
    "JSON Web Token": JWT,
    "DingTalk sign": "SE" + "C" + HEX,
    "hash of a password": "$" + "6$saltsalt$" + ALNUM + ALNUM[:30],
    "bcrypt": "$" + "2b$12$" + ALNUM + "abcde",
    "key without frame": "MII" + "EpAIBAAKCAQEA" + BASE64[:200],
    "OpenSSH key without frame": "b3Blbn" + "NzaC1rZXktdjE" + BASE64[:100],
    "key in Base64": "LS0tLS1CRUdJTi" + "BSU0Eg" + ALNUM,
    "id card": "11010519491231002" + "X",
    "phone with country": "+86 138" + "12345678",
    "phone in groups": "138-" + "1234-5678",
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_what_has_a_form_of_its_own_is_masked_wherever_it_stands(name: str) -> None:
    for around in ("{}", "x = {}", 'got "{}", why', "[{}]", "密码{}。", "a\n{}\nb", "{},1", "k={};"):
        masked, count = mask(around.format(ALONE[name]))
        assert (ALONE[name] in masked, count) == (False, 1)
        assert mask(masked) == (masked, 0)


# {} is the secret; everything around it stays.
SAID = [
    "password={}", "PASSWORD = {}", "db.password: {}", "spring.datasource.password={}", "  password: '{}'", 'pwd="{}"',
    '{{"password":"{}"}}', '{{"user": "a", "passwd" : "{}", "x": 1}}', '{{\\"password\\":\\"{}\\"}}', "'password' => '{}',",
    "<password>{}</password>", "export DB_PASS={}", "MYSQL_ROOT_PASSWORD={}", "PGPASSWORD={} psql -h db", "+ PGPASSWORD={}",
    "REDIS_PASS={}", "SSHPASS={}", "os.environ['PASSWORD'] = '{}'", "Server=db;Uid=sa;Pwd={};Encrypt=yes", "$env:PASSWORD='{}'",
    "jdbc:mysql://db:3306/app?user=app&password={}&useSSL=false", "ANSIBLE_BECOME_PASS={}", "ansible_ssh_pass={} ansible_user=x",
    "https://user:{}@host/x", "git clone https://oauth2:{}@gitlab.example.com/a.git", "redis://:{}@10.0.0.1:6379/0",
    "mongodb+srv://app:{}@cluster.example.com/db", "amqp://guest:{}@mq:5672/", "http_proxy=http://u:{}@proxy:3128",
    "mysql -uroot -p{} -e 'show databases'", "mysqldump -h db -u root -p'{}' app > a.sql", "+ mysql -u root -p{}",
    "mysql --password={} app", "mysql --user=root --password '{}' app", "sshpass -p {} ssh root@10.0.0.1", "sshpass -p '{}' scp a b:",
    "redis-cli -h 10.0.0.1 -a {} ping", "mongosh --host db -u root -p {} admin", "ldapsearch -x -D cn=admin -w {} -b dc=x",
    "docker login -u deploy -p {} registry.example.com", "docker login --username=a --password={} r.example.com",
    "helm registry login r.example.com -u a -p {}", "curl -u admin:{} https://x.example.com", "curl -s --user 'admin:{}' https://x",
    "curl -XPOST -uadmin:{} http://127.0.0.1:9200", "wget --user=a --password={} http://x", "smbclient //srv/x -U admin%{}",
    "sqlplus app/{}@orcl", "sqlcmd -S db -U sa -P {} -Q 'select 1'", "rabbitmqctl add_user app {}", "htpasswd -bc /etc/f admin {}",
    "htpasswd -b /etc/f admin {}", "openssl rsa -passin pass:{} -in k.pem", "zip -P {} a.zip b", "7z x a.7z -p{}",
    "echo 'root:{}' | chpasswd", "echo root:{} | sudo chpasswd", "echo '{}' | passwd --stdin root", "echo {} | sudo -S ls",
    "net user deploy {} /add", "cmdkey /add:srv /user:a /pass:{}", 'ConvertTo-SecureString "{}" -AsPlainText -Force',
    "ConvertTo-SecureString -String '{}' -AsPlainText", "New-LocalUser a -Password {}", "schtasks /create /ru a /rp {} /tn b",
    "machine git.example.com login deploy password {}", "machine h\n  login u\n  password {}\n", "db:5432:app:deploy:{}",
    "CREATE USER 'a'@'%' IDENTIFIED BY '{}';", "ALTER USER a WITH PASSWORD '{}';", "SET PASSWORD = PASSWORD('{}');",
    "IDENTIFIED WITH mysql_native_password BY '{}'", "requirepass {}", "masterauth {}",
    "A temporary password is generated for root@localhost: {}", "The generated password for the elastic built-in superuser is : {}",
    "setx DB_PASSWORD {}", "setx /M API_TOKEN {}", "net use Z: \\\\srv\\x {} /user:a", "net use \\\\srv\\x /user:a {}", "wpa_passphrase home {}",
    'psk="{}"', "mc alias set prod http://minio:9000 ID {}", 'expect "password:"\nsend "{}\\r"', "echo {} | docker login -u a --password-stdin r",
    "- name: DB_PASSWORD\n  value: {}", '{{"name":"DB_PASSWORD","value":"{}"}}', '"Name": "API_TOKEN",\n"Value": "{}"',
    '<entry key="password">{}</entry>', '<property name="password" value="{}"/>', '<add key="DbPassword" value="{}"/>',
    "密码：{}", "密码: {}", "初始密码为{}", "登录密码是：{}", "数据库口令={}", "root 密码为：{}，请妥善保管",
]  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_a_password_is_masked_where_one_stands(said: str) -> None:
    text = said.format(PASSWORD)
    assert mask(text) == (said.format(MASK), 1)
    assert mask(said.format(MASK)) == (said.format(MASK), 0)


TOKENS = [
    "token={}", "access_token: {}", "TOKEN={}", '"token": "{}"', "X-Auth-Token: {}", "PRIVATE-TOKEN: {}", "X-Vault-Token: {}",
    "X-Api-Key: {}", "api_key={}", '"apiKey":"{}"', "secret={}", "client_secret={}", '"clientSecret": "{}"', "SECRET_KEY={}",
    "SECRET_KEY_BASE={}", "JWT_SECRET={}", "APP_KEY={}", "AccessKeySecret={}", '"AccessKeySecret": "{}"', "accessKeySecret: {}",
    "aws_secret_access_key = {}", "AWS_SECRET_ACCESS_KEY={}", "AWS_SESSION_TOKEN={}", "ALIBABA_CLOUD_ACCESS_KEY_SECRET={}",
    "TENCENTCLOUD_SECRET_KEY={}", "secretKey={}", "SecretId: {}", "HW_ACCESS_KEY={}", "ak={}", 'sk: "{}"',
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core", "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey={}",
    "Authorization: Bearer {}", "authorization: token {}", "Authorization: Basic {}", "-H 'Authorization: Bearer {}'", '"Authorization":"Bearer {}"',
    "Proxy-Authorization: Basic {}", "curl -H 'Authorization: {}' x", "bearer {}", "--token {}", "--token={}", "--api-key '{}'",
    "--secret-key {}", "//r.example.com/:_authToken={}", "_auth={}", '"auth": "{}"', "client-key-data: {}", "security-token: {}",
    "https://b.oss-cn-hangzhou.aliyuncs.com/a?Expires=1&OSSAccessKeyId=x&Signature={}", "https://b/a?x-oss-signature={}&x-oss-expires=3600",
    "https://s3/x?X-Amz-Algorithm=AWS4&X-Amz-Signature={}", "https://s3/x?X-Amz-Security-Token={}&a=1", "https://x.blob/a?sv=2020&sig={}&se=1",
    "https://storage/x?X-Goog-Signature={}", "https://cos/x?q-sign-algorithm=sha1&q-signature={}", "https://cdn/x?auth_key={}",
    "GET /cb?access_token={}&a=1 HTTP/1.1", "https://{}@github.com/a/b.git",
    "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/{}", "https://oapi.dingtalk.com/robot/send?access_token={}",
    "https://open.feishu.cn/open-apis/bot/v2/hook/{}", "https://open.larksuite.com/open-apis/bot/v2/hook/{}",
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}", "https://discord.com/api/webhooks/123456789012345678/{}",
    "HUAWEICLOUD_SDK_SK={}", "ossutil config -k {} -e oss-cn-hangzhou.aliyuncs.com", "obsutil config -i=x -k={} -e=obs", "coscmd config -a x -s {} -b c",
    "Cookie: lang=zh; session={}; path=/", "Set-Cookie: JSESSIONID={}; HttpOnly", "https://sctapi.ftqq.com/SCT{}.send",
    "https://x.webhook.office.com/webhookb2/{}", "令牌：{}", "密钥={}",
]  # fmt: skip

VALUES = {"PASSWORD": PASSWORD, "TOKEN": ALNUM[:44], "HEX": HEX, "UUID": UUID}
SECTIONS = {
    kind: section.strip().split("\n")
    for section in (Path(__file__).parent / "corpus" / "secrets.txt").read_text(encoding="utf-8").split("\n\n")[1:]
    for kind, section in [section.split("\n", 1)]
}


@pytest.mark.parametrize("kind", VALUES)
def test_secrets_do_not_stay_in_the_logs_of_clouds_and_tools(kind: str) -> None:
    texts = [line.replace("\\n", "\n").replace("\\\\", "\\") for line in SECTIONS[kind]]
    assert [text for text in texts if VALUES[kind] in mask(text.replace("{}", VALUES[kind]))[0]] == []


def test_there_are_many_of_both() -> None:
    assert sum(map(len, SECTIONS.values())) > 250
    assert len(LINES) > 1_000


@pytest.mark.parametrize("said", TOKENS)
@pytest.mark.parametrize("token", [ALNUM[:40], HEX[:32]], ids=["mixed", "hex"])
def test_a_token_is_masked_where_one_stands(said: str, token: str) -> None:
    masked, count = mask(said.format(token))
    assert token not in masked
    assert count >= 1
    assert mask(masked) == (masked, 0)


def test_what_is_made_up_after_pass_is_masked_and_a_count_is_not() -> None:
    assert mask("pass: Tr0ub4dorX9") == (f"pass: {MASK}", 1)
    assert mask("pass: 1234, fail: 0; Pass: all12tests")[1] == 0


@pytest.mark.parametrize("bot", ["api.telegram.org/bot{}/sendMessage", "token {}"])
def test_the_token_of_a_bot_is_masked_also_within_an_address(bot: str) -> None:
    assert mask(bot.format("123456789:" + "AA" + ALNUM[:33])) == (bot.format(MASK), 1)


@pytest.mark.parametrize("said", ["X-Auth-Token: {}", "https://open.feishu.cn/open-apis/bot/v2/hook/{}", "token={}"])
def test_a_uuid_is_masked_where_a_token_stands(said: str) -> None:
    assert mask(said.format(UUID))[1] == 1


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""])
@pytest.mark.parametrize(("begin", "end"), [(True, True), (True, False), (False, True)])
def test_a_private_key_is_masked_whichever_of_its_ends_is_cut_off(kind: str, begin: bool, end: bool) -> None:
    first, last = ("-----" + f"{word} {kind}PRIVATE KEY-----" for word in ("BEGIN", "END"))
    text = "\n".join(["before:", *([first] if begin else []), KEY_LINES, *([last, "after"] if end else [])])
    masked, count = mask(text)
    assert count == 1
    assert "before:" in masked
    assert ("after" in masked) == end
    assert not any(line in masked for line in KEY_LINES.split("\n"))
    assert mask(masked) == (masked, 0)


@pytest.mark.parametrize(
    "said",
    [
        "手机号：{}",
        '"phone":"{}"',
        "mobile={}",
        "user {} logged in",
        "发送短信至{}成功",
        "用户{}登录",
        "联系电话 {}",
        "tel: {}",
    ],
)
def test_a_phone_is_masked_where_words_say_whose_it_is(said: str) -> None:
    phone = "138" + "12345678"
    assert mask(said.format(phone)) == (said.format(MASK), 1)
    assert mask(said.format(phone), personal=False) == (said.format(phone), 0)


def test_an_output_that_begins_within_a_key_has_it_masked() -> None:
    end = "-----" + "END PRIVATE KEY-----"
    assert mask(f"{KEY_LINES}\n{end}\nafter") == (f"{MASK}\n{end}\nafter", 1)


def test_an_id_card_with_a_wrong_check_digit_is_a_number() -> None:
    assert mask("no 110105194912310021") == ("no 110105194912310021", 0)
