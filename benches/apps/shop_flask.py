"""A small shop with Flask: pages by Jinja, products in a database by SQLAlchemy, signed sessions, a blueprint."""

import os

from flask import Blueprint, Flask, Response, render_template, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import answers


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
pages = Blueprint("pages", __name__)


class Product(db.Model):
    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]


@pages.get("/products")
def products():
    session.get("basket")
    rows = db.session.scalars(select(Product).order_by(Product.id).limit(answers.PRODUCTS))
    return render_template("products.html", products=rows)


@pages.get("/", defaults={"path": ""})
@pages.get("/<path:path>")
def hello(path):
    return Response(answers.HELLO, mimetype="application/json")


def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "the benchmark keeps no secret"
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['BENCH_DATABASE']}"
    db.init_app(app)
    app.register_blueprint(pages)
    return app


application = create_app()
