from django.db import models


class Order(models.Model):
    item = models.CharField(max_length=100)
    state = models.CharField(max_length=20, default="new")

    def __str__(self):
        return f"{self.item} ({self.state})"


class Note(models.Model):
    """What happened, for support."""

    text = models.CharField(max_length=500)

    def __str__(self):
        return self.text


class Connection(models.Model):
    """A browser that watches the orders."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self):
        return self.name
