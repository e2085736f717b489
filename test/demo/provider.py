#!/usr/bin/python3
"""An identity provider in a demo's pocket: an RSA key made and used by the openssl command.

    provider.py KEY keys                       the public key, as a JSON Web Key Set; makes KEY when it is not there
    provider.py KEY token SUBJECT GROUP PERSON   a token, good for ten minutes: SUBJECT, of GROUP, works for PERSON
"""
import base64
import json
import os
import subprocess
import sys
import time


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def keys(key):
    if not os.path.exists(key):
        openssl("genrsa", "-out", key, "2048")
    modulus = openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().split("=")[1]
    public = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "demo", "n": url64(bytes.fromhex(modulus)), "e": "AQAB"}
    return json.dumps({"keys": [public]})


def token(key, subject, group, person):
    now = int(time.time())
    claims = {"iss": "https://login.example.com", "aud": "postgres", "sub": subject, "groups": [group],
              "act": {"sub": person}, "iat": now, "exp": now + 600}
    signed = ".".join(url64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "demo"}, claims))
    return signed + "." + url64(openssl("dgst", "-sha256", "-sign", key, data=signed.encode()))


if __name__ == "__main__":
    print({"keys": keys, "token": token}[sys.argv[2]](sys.argv[1], *sys.argv[3:]))
