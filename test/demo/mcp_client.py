#!/usr/bin/env python3
"""A small Model Context Protocol client: starts a server, asks it over stdin and stdout (JSON-RPC 2.0, one
message a line), prints question and answer.

    mcp_client.py [-q SQL]… [-l] -- SERVER…

-l lists the server's resources (tables), -q calls its tool "query". Exit status 1 when the server does not
answer; an answer that is an error is printed, not fatal."""
import json
import queue
import subprocess
import sys
import threading

PATIENCE = 60  # seconds


class McpServer:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.last_id = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method, **params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise EOFError(f"the server ended before it answered {method}")
            answer = json.loads(line)
            if answer.get("id") == self.last_id:
                return answer

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(PATIENCE)


def show_rows(text):
    rows = json.loads(text) if text else None
    if not isinstance(rows, list):
        print(f"    {text}")
        return
    for row in rows:
        print("    " + json.dumps(row, ensure_ascii=False))


def run(asked, command):
    server = McpServer(command)
    try:
        hello = server.ask("initialize", protocolVersion="2024-11-05", capabilities={},
                           clientInfo={"name": "demo", "version": "1.0"})
        info = hello["result"]["serverInfo"]
        print(f"connected to {info['name']} {info['version']}")
        server.send({"method": "notifications/initialized"})
        for what, sql in asked:
            if what == "list":
                answer = server.ask("resources/list")
                names = [resource["name"] for resource in answer["result"]["resources"]]
                print("resources/list\n    " + "\n    ".join(sorted(names)))
                continue
            print(f"tools/call query: {sql}")
            answer = server.ask("tools/call", name="query", arguments={"sql": sql})
            if "error" in answer:
                print(f"    error: {answer['error']['message']}")
            else:
                for part in answer["result"]["content"]:
                    show_rows(part.get("text"))
    finally:
        server.close()


def main(arguments):
    if "--" not in arguments:
        sys.exit(__doc__)
    split = arguments.index("--")
    mine, command, asked = arguments[:split], arguments[split + 1:], []
    while mine:
        option = mine.pop(0)
        if option == "-l":
            asked.append(("list", None))
        elif option == "-q" and mine:
            asked.append(("query", mine.pop(0)))
        else:
            sys.exit(__doc__)
    try:
        run(asked, command)
    except (EOFError, queue.Empty, KeyError, BrokenPipeError) as problem:
        sys.exit(f"mcp_client: no proper answer: {problem!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
