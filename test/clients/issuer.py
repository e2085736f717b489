"""An issuer as a client meets one that has no browser (RFC 8628): issuer.py FOLDER serves on 127.0.0.1, writes its address to
FOLDER/address, and gives whoever asks a second time the token that is in FOLDER/token."""
import http.server
import json
import sys

folder = sys.argv[1]
asked = set()


class Issuer(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer(200, {"issuer": address, "token_endpoint": address + "/token", "jwks_uri": address + "/keys",
                          "device_authorization_endpoint": address + "/device", "response_types_supported": ["code"],
                          "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                          "grant_types_supported": ["urn:ietf:params:oauth:grant-type:device_code"]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/device":
            asked.clear()
            self.answer(200, {"device_code": "device", "user_code": "WDJB-MJHT", "verification_uri": address + "/enter",
                              "interval": 1, "expires_in": 60})
        elif not asked:
            asked.add(self.path)
            self.answer(400, {"error": "authorization_pending"})
        else:
            with open(folder + "/token", encoding="ascii") as file:
                self.answer(200, {"access_token": file.read().strip(), "token_type": "Bearer", "expires_in": 60})

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Issuer)
address = f"http://127.0.0.1:{server.server_port}"
with open(folder + "/address", "w", encoding="ascii") as file:
    file.write(address + "\n")
server.serve_forever()
