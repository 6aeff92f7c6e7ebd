"""Makes the database of the two shops: python shop_database.py FILE"""

import contextlib
import os
import sqlite3
import sys

import answers


def main(file):
    with contextlib.suppress(FileNotFoundError):
        os.remove(file)
    database = sqlite3.connect(file)
    database.execute("create table product (id integer primary key, name text not null, price integer not null)")
    rows = [(number, f"Product {number}", number * 7) for number in range(1, 4 * answers.PRODUCTS + 1)]
    database.executemany("insert into product values (?, ?, ?)", rows)
    database.commit()


main(sys.argv[1])
