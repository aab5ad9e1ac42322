"""The environments that the files in `deploy/` give a gateway, a variable a line: the file's name, a tab, the variable's name, and
its value after another tab, where it is not for a person to fill in. With `redis` after the folder: the words of the command that
starts Redis, a line each."""

import pathlib
import re
import shlex
import sys

import yaml

deploy = pathlib.Path(sys.argv[1])


def documents(name):
    return list(yaml.safe_load_all((deploy / name).read_text()))


def given(value):
    """What Compose makes of a value: `${NAME:-default}` is the default, and `${NAME:?why}` is for a person to fill in; as a part of
    a value it stays as `${NAME}`."""
    if re.fullmatch(r"\$\{\w+:\?[^}]*\}", value):
        return None
    return re.sub(r"\$\{(\w+):\?.*?\}", r"${\1}", re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))


def service(file, name):
    return documents(f"compose/{file}")[0]["services"][name]


def compose_of(file, name):
    return {name: given(str(value)) for name, value in service(file, name)["environment"].items()}


def compose():
    return compose_of("gateway.yml", "gateway")


def compose_redis():
    return compose_of("redis.yml", "gateway-1")


def render():
    variables = documents("render/render.yaml")[0]["services"][0]["envVars"]
    return {variable["key"]: variable.get("value") for variable in variables}


def heroku():
    secrets = re.findall(r"(\w+)=…", (deploy / "heroku/heroku.yml").read_text())
    return {**dict.fromkeys(secrets), **documents("heroku/heroku.yml")[0]["setup"]["config"]}


def kubernetes_of(folder, workload):
    container = documents(f"kubernetes/{folder}/{workload}")[0]["spec"]["template"]["spec"]["containers"][0]
    plain = {variable["name"]: variable.get("value") for variable in container["env"]}
    return {**documents(f"kubernetes/{folder}/configmap.yaml")[0]["data"], **plain}


def kubernetes_disk():
    return kubernetes_of("disk", "statefulset.yaml")


def kubernetes_redis():
    return kubernetes_of("redis", "deployment.yaml")


def systemd():
    lines = (deploy / "systemd/logs-gateway.service").read_text().splitlines()
    pairs = [line.split("=", 1)[1].split("=", 1) for line in lines if line.startswith("Environment=")]
    # What the file of settings has to have besides.
    return {**dict(pairs), "AUTH": "open", "SERVICE_TOKENS": None, "ADMIN_TOKEN": None}


def image():
    text = (deploy / "Dockerfile").read_text().replace("\\\n", " ")
    pairs = re.search(r"^ENV (.*)$", text, re.MULTILINE).group(1).split()
    # A container without any setting: it starts, and nothing is open.
    return dict(pair.split("=", 1) for pair in pairs)


if sys.argv[2:] == ["redis"]:
    # A dollar that is not Compose's is doubled there.
    print(*shlex.split(service("redis.yml", "redis")["command"].replace("$$", "$")), sep="\n")
    sys.exit()

for maker in [image, compose, compose_redis, render, heroku, kubernetes_disk, kubernetes_redis, systemd]:
    for name, value in maker().items():
        print(maker.__name__, name, *([] if value is None else [value]), sep="\t")
