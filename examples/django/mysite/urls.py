from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("json", views.show, name="json"),
    path("echo", views.echo, name="echo"),
    path("cookies", views.cookies, name="cookies"),
    path("session", views.session, name="session"),
    path("redirect", views.to_json, name="redirect"),
    path("stream", views.stream, name="stream"),
    path("binary", views.binary, name="binary"),
    path("error", views.error, name="error"),
]
