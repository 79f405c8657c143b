#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's web server: one page, rendered from the rows of a PostgreSQL table.

    web.py LISTEN-ADDRESS DATABASE-ADDRESS
"""
import html
import http.server
import sys

import psycopg2

QUERY = "SELECT city, racks, host(inet_server_addr()) FROM site ORDER BY city"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            with psycopg2.connect(host=sys.argv[2], dbname="demo", user="demo", password="demo",
                                  connect_timeout=5) as connection, connection.cursor() as cursor:
                cursor.execute(QUERY)
                rows = cursor.fetchall()
        except psycopg2.Error as e:
            self.answer(502, f"<p>The database does not answer: {html.escape(str(e))}</p>")
            return
        cells = "".join(f"<tr><td>{html.escape(city)}</td><td>{racks}</td></tr>\n" for city, racks, _ in rows)
        self.answer(200, f"<p>{len(rows)} rows from the database at {rows[0][2]}:</p>\n"
                         f"<table>\n<tr><th>City</th><th>Racks</th></tr>\n{cells}</table>")

    def answer(self, status, body):
        page = ("<!DOCTYPE html>\n<html><head><title>Racks of the world</title></head>\n<body>\n"
                f"<h1>Racks of the world</h1>\n{body}\n</body></html>\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format, *args):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], 80), Page).serve_forever()
