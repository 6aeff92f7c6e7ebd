"""Git's smart HTTP protocol, to clone from and to push to."""

import os

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

app = make_wsgi_chain(DictBackend({"/": Repo(os.environ["FOLDER"])}))
