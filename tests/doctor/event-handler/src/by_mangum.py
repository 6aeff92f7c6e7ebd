from asgiref.wsgi import WsgiToAsgi
from flask import Flask
from mangum import Mangum

app = Flask(__name__)
handler = Mangum(WsgiToAsgi(app))
