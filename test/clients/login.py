"""psycopg2 with a token as password."""
import sys

import psycopg2

port, token, certificate = sys.argv[1:]
connection = psycopg2.connect(host="localhost", port=port, user="agent", dbname="postgres", password=token,
                              sslmode="verify-full", sslrootcert=certificate)
cursor = connection.cursor()
cursor.execute("SELECT actor, effective_role FROM hoopguard.whoami()")
print("|".join(cursor.fetchone()))
