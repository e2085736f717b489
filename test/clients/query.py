"""What psycopg gets to see: query.py CONNECTION QUERY..."""
import sys

import psycopg2

connection = psycopg2.connect(sys.argv[1])
connection.autocommit = True
cursor = connection.cursor()
for query in sys.argv[2:]:
    cursor.execute(query)
    for row in cursor.fetchall():
        print("|".join(str(value) for value in row))
