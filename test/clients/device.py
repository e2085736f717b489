"""The device flow, both ends: device.py ISSUER PERSON prints the access token that a device gets once its user has
said in a browser, played here by its forms, who he is and that the device may."""
import http.cookiejar
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

issuer, person = sys.argv[1:]
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))


def post(opener, url, **fields):
    return opener.open(url, urllib.parse.urlencode(fields).encode(), timeout=20).read().decode()


def submit(page, here, **typed):
    """Sends the first form of a page as a person would who has typed that."""
    form = re.search(r"<form.*?</form>", page, re.S).group(0)
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in attributes:
            fields[attributes["name"]] = attributes.get("value", "")
    action = re.search(r'action="([^"]*)"', form)
    answer = browser.open(urllib.parse.urljoin(here, action.group(1)) if action else here,
                          urllib.parse.urlencode({**fields, **typed}).encode(), timeout=20)
    return answer.read().decode(), answer.geturl()


device = urllib.request.build_opener()
started = json.loads(post(device, issuer + "/device/auth", client_id="device", scope="sql", resource="urn:database"))
grant = {"client_id": "device", "device_code": started["device_code"], "resource": "urn:database",
         "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
try:
    post(device, issuer + "/token", **grant)
    sys.exit("a token before anybody has agreed")
except urllib.error.HTTPError as refusal:
    assert json.load(refusal)["error"] == "authorization_pending"

address = started["verification_uri_complete"]
page = browser.open(address, timeout=20).read().decode()
for attempt in range(6):
    if "<form" not in page:
        break
    page, address = submit(page, address, **({"login": person, "password": "any"} if 'name="login"' in page else {}))
print(json.loads(post(device, issuer + "/token", **grant))["access_token"])
